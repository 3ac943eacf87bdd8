"""Mentions reach the nodes of any structure."""

import pytest
import spacy
import torch
from spacy.tokens import Doc, Span

from rnnpipe.errors import StructureError
from rnnpipe.parts.edges.next_token import NextTokenEdges
from rnnpipe.parts.structures.constituents import Constituents
from rnnpipe.parts.structures.dependency_tree import DependencyTree
from rnnpipe.parts.structures.token_graph import TokenGraph
from rnnpipe.parts.structures.with_mentions import WithMentions
from rnnpipe.structures import Graphs, Sequences, Trees

NLP = spacy.blank("en")
INNER = {
    "tokens": (None, Sequences),
    "graph": (TokenGraph(edges={"next": NextTokenEdges()}), Graphs),
    "heads": (DependencyTree(), Trees),
    "constituents": (Constituents(), Trees),
}


@pytest.fixture
def doc():
    words, heads = ["the", "red", "house", "burns"], [2, 2, 3, 3]
    doc = Doc(NLP.vocab, words=words, heads=heads, deps=["dep"] * 4)
    doc.spans["constituents"] = [Span(doc, 0, 3), Span(doc, 0, 4)]
    doc.spans["mentions"] = [Span(doc, 0, 3), Span(doc, 3, 4)]
    return doc


@pytest.mark.parametrize("name", sorted(INNER))
def test_nodes_of_the_mentions(doc, name):
    inner, kind = INNER[name]
    structure = WithMentions(inner=inner)
    assert structure.structure is kind
    nodes = structure.read(doc)
    built = structure.build([structure.read(Doc(NLP.vocab)), nodes], torch.device("cpu"))
    x = torch.zeros(2, built.size, 1)
    x[1, :, 0] = torch.from_numpy(nodes.tokens + 1)  # each node's token, from 1
    rows = built.mentions.gather(x).squeeze(2).tolist()
    assert [sorted(row) for row in rows] == [[0, 0, 0], [0, 0, 0], [1, 2, 3], [0, 0, 4]]
    if inner is not None:
        assert (structure.n_types, structure.spans_key) == (inner.n_types, inner.spans_key)
        assert nodes.links.tolist() == inner.read(doc).links.tolist()


def test_another_number_of_mentions(doc):
    with pytest.raises(StructureError) as error:
        WithMentions(count=3).read(doc)
    assert str(error.value) == (
        "the document 'the red house burns ': expected 3 spans in doc.spans['mentions'], got 2. "
        "Mark this number in every document, or change count."
    )


def test_no_mentions():
    with pytest.raises(StructureError) as error:
        WithMentions().read(Doc(NLP.vocab, words=["a", "b"]))
    assert str(error.value) == (
        "the document 'a b ': expected spans in doc.spans['mentions'], got no such span group. "
        "Add mentions to the documents, or set spans_key to their group."
    )


def test_an_empty_mention(doc):
    doc.spans["mentions"] = [Span(doc, 0, 0), Span(doc, 3, 4)]
    with pytest.raises(StructureError) as error:
        WithMentions().read(doc)
    assert str(error.value) == (
        "the document 'the red house burns ': expected mentions of one or more of the 4 tokens, "
        "got [0, 0]. Remove the span."
    )
