"""Which tokens each kind of edges joins, and what it says of documents without annotation."""

import pytest
import spacy
from spacy.tokens import Doc, Span

from rnnpipe.errors import SettingsError, StructureError
from rnnpipe.parts.edges.coreference import CoreferenceEdges
from rnnpipe.parts.edges.dependencies import DependencyEdges
from rnnpipe.parts.edges.next_token import NextTokenEdges
from rnnpipe.parts.edges.same_lemma import SameLemmaEdges
from rnnpipe.parts.edges.two_way import TwoWayEdges

NLP = spacy.blank("en")


@pytest.fixture
def doc():
    return Doc(
        NLP.vocab,
        words=["Cats", "were", "seen", "by", "a", "cat"],
        lemmas=["cat", "be", "see", "by", "a", "cat"],
        heads=[2, 2, 2, 5, 5, 2],
        deps=["nsubj:pass", "aux:pass", "ROOT", "case", "det", "obl:agent"],
    )


def named(edges, doc):
    return [(a, b, edges.types[m]) for a, b, m in edges.read(doc).tolist()]


def test_next_tokens(doc):
    assert named(NextTokenEdges(), doc) == [(i, i + 1, "next") for i in range(5)]


def test_dependencies_of_one_type(doc):
    edges = named(DependencyEdges(), doc)
    assert edges == [
        (h, d, "other dependency") for h, d in [(2, 0), (2, 1), (5, 3), (5, 4), (2, 5)]
    ]


def test_dependencies_by_label(doc):
    edges = DependencyEdges(labels=["nsubj", "aux:pass", "obl", "obl:agent"])
    assert named(edges, doc) == [
        (2, 0, "nsubj"),
        (2, 1, "aux:pass"),
        (5, 3, "other dependency"),
        (5, 4, "other dependency"),
        (2, 5, "obl:agent"),
    ]


def test_a_label_twice():
    with pytest.raises(SettingsError) as error:
        DependencyEdges(labels=["obj", "nsubj", "obj"])
    assert str(error.value) == (
        "rnnpipe.DependencyEdges.v1, labels: expected each label once, got ['obj']. "
        "Remove repeated labels."
    )


def test_same_lemmas(doc):
    assert named(SameLemmaEdges(), doc) == [(0, 5, "same lemma")]
    row = Doc(NLP.vocab, words=["a"] * 4, lemmas=["a", "", "a", "a"])
    assert [edge[:2] for edge in named(SameLemmaEdges(), row)] == [(0, 2), (2, 3)]


def test_coreference(doc):
    spans = [(4, 6, "A", 0), (0, 1, "A", 0), (1, 2, "B", 0), (2, 3, "A", 1), (5, 6, "A", 0)]
    doc.spans["coreference"] = [
        Span(doc, start, end, label=label, span_id=number) for start, end, label, number in spans
    ]
    # A span inside another one that ends where it does is no other mention.
    assert named(CoreferenceEdges(), doc) == [(0, 5, "coreference")]


def test_two_ways(doc):
    edges = TwoWayEdges(edges=DependencyEdges(labels=["det"]))
    assert edges.types == ("det", "other dependency", "det, inverse", "other dependency, inverse")
    found = named(edges, doc)
    assert (5, 4, "det") in found
    assert (4, 5, "det, inverse") in found
    assert (0, 2, "other dependency, inverse") in found
    assert len(found) == 10


@pytest.mark.parametrize(
    ("edges", "text"),
    [
        (
            DependencyEdges(),
            (
                "a dependency parse, got no heads. Add a parser before this component, or set "
                "heads in the documents."
            ),
        ),
        (
            SameLemmaEdges(),
            (
                "lemmas, got no lemmas. Add a lemmatizer before this component, or set lemmas in "
                "the documents."
            ),
        ),
        (
            CoreferenceEdges(),
            (
                "spans in doc.spans['coreference'], got no such span group. Add coreferent "
                "mentions to the documents, or set spans_key to their group."
            ),
        ),
    ],
    ids=["dependencies", "lemmas", "coreference"],
)
def test_nothing_to_make_edges_of(edges, text):
    with pytest.raises(StructureError) as error:
        edges.read(Doc(NLP.vocab, words=["Two", "words"]))
    assert str(error.value) == f"the document 'Two words ': expected {text}"
    assert edges.read(Doc(NLP.vocab)).shape == (0, 3)


def test_an_empty_mention(doc):
    doc.spans["coreference"] = [Span(doc, 2, 2, label="A")]
    with pytest.raises(StructureError, match="expected mentions of one or more of the 6 tokens"):
        CoreferenceEdges().read(doc)


def test_spacy_itself_refuses_a_head_outside_the_document():
    with pytest.raises(ValueError, match="E190"):
        Doc(NLP.vocab, words=["a", "b"], heads=[0, 5], deps=["ROOT", "dep"])
