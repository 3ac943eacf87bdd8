"""Spans as trees, and what is wrong with spans that are none."""

import pytest
import spacy
from spacy.tokens import Doc, Span, SpanGroup

from rnnpipe.errors import StructureError
from rnnpipe.parts.structures.constituents import Constituents
from rnnpipe.parts.structures.span_ends import SpanEnds

NLP = spacy.blank("en")


def doc_with(n, spans, key="constituents"):
    doc = Doc(NLP.vocab, words=[f"w{i}" for i in range(n)])
    doc.spans[key] = SpanGroup(doc, spans=[Span(doc, *span) for span in spans])
    return doc


def drawn(n, spans):
    """The trees in brackets, children in order, and each span's node so written."""
    nodes = Constituents().read(doc_with(n, spans))
    texts = [[str(token)] if token >= 0 else [] for token in nodes.tokens.tolist()]
    finished = []
    for node, parent in enumerate(nodes.links.tolist()):
        text = texts[node][0] if nodes.tokens[node] >= 0 else "(" + " ".join(texts[node]) + ")"
        finished.append(text)
        if parent >= 0:
            texts[parent].append(text)
    roots = [finished[i] for i, parent in enumerate(nodes.links.tolist()) if parent < 0]
    return " ".join(roots), [finished[i] for i in nodes.labelled.tolist()]


@pytest.mark.parametrize(
    ("n", "spans", "trees", "labelled"),
    [
        (0, [], "", []),
        (2, [], "0 1", []),
        (1, [(0, 1)], "0", ["0"]),
        (1, [(0, 1), (0, 1)], "(0)", ["0", "(0)"]),
        (3, [(0, 3), (0, 2)], "((0 1) 2)", ["((0 1) 2)", "(0 1)"]),
        (2, [(0, 2), (1, 2), (0, 2)], "((0 1))", ["(0 1)", "1", "((0 1))"]),
        (4, [(1, 3), (1, 2)], "0 (1 2) 3", ["(1 2)", "1"]),
        (3, [(0, 3)], "(0 1 2)", ["(0 1 2)"]),
    ],
)
def test_spans_become_trees(n, spans, trees, labelled):
    assert drawn(n, spans) == (trees, labelled)


def test_the_nodes_build_a_structure():
    nodes = Constituents().read(doc_with(3, [(0, 2), (0, 3)]))
    trees = Constituents().build([nodes], "cpu")
    assert trees.host_lengths == (5,)
    assert trees.n_leaves == 3


def test_ends_of_spans():
    nodes = SpanEnds().read(doc_with(3, [(0, 2), (0, 3), (1, 2)]))
    assert nodes.tokens.tolist() == [0, 1, 2]
    assert nodes.labelled.tolist() == [1, 2, 1]


@pytest.mark.parametrize("spans", [[(0, 2), (1, 3)], [(1, 3), (0, 2)]])
def test_overlapping_constituents(spans):
    with pytest.raises(StructureError) as error:
        Constituents().read(doc_with(3, spans))
    assert str(error.value) == (
        "the document 'w0 w1 w2 ': expected nested or disjoint constituents, relative to tokens "
        "[0, 2], got [1, 3]. Two constituents must be disjoint, or one must contain the other."
    )


@pytest.mark.parametrize("structure", [Constituents, SpanEnds])
def test_a_constituent_without_tokens(structure):
    with pytest.raises(StructureError) as error:
        structure().read(doc_with(3, [(0, 2), (0, 0)]))
    assert str(error.value) == (
        "the document 'w0 w1 w2 ': expected constituents of one or more of the 3 tokens, got "
        "[0, 0]. Remove the span."
    )


@pytest.mark.parametrize("structure", [Constituents, SpanEnds])
def test_no_tree(structure):
    with pytest.raises(StructureError) as error:
        structure().read(doc_with(12, [], key="other"))
    assert str(error.value) == (
        "the document 'w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 ': expected spans in "
        "doc.spans['constituents'], got no such span group (available: other). Add trees to the "
        "documents, or set spans_key to their group."
    )


@pytest.mark.parametrize("structure", [Constituents, SpanEnds])
def test_an_empty_document_needs_no_tree(structure):
    nodes = structure().read(Doc(NLP.vocab))
    assert nodes.tokens.size == nodes.links.size == nodes.labelled.size == 0
