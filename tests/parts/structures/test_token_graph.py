"""Tokens joined by edges: what a network is given, and what is refused."""

from dataclasses import dataclass

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc

from rnnpipe.errors import SettingsError, StructureError
from rnnpipe.parts.edges.dependencies import DependencyEdges
from rnnpipe.parts.edges.next_token import NextTokenEdges
from rnnpipe.parts.edges.two_way import TwoWayEdges
from rnnpipe.parts.structures.token_graph import TokenDag, TokenGraph
from rnnpipe.structures import Dags, Graphs

NLP = spacy.blank("en")


@pytest.fixture
def doc():
    heads, deps = [1, 1, 3, 1], ["nsubj", "ROOT", "det", "obj"]
    return Doc(NLP.vocab, words=["we", "saw", "the", "film"], heads=heads, deps=deps)


@dataclass(frozen=True)
class Given:
    """Edges of a plugin."""

    found: np.ndarray
    types = ("one", "two")

    def read(self, doc):
        return self.found


def test_types_of_several_edges_are_their_own(doc):
    edges = {"words": NextTokenEdges(), "syntax": DependencyEdges(labels=["obj"])}
    structure = TokenGraph(edges=edges)
    assert structure.n_types == 3
    nodes = structure.read(doc)
    assert nodes.tokens.tolist() == nodes.labelled.tolist() == [0, 1, 2, 3]
    assert nodes.links.tolist() == [
        [0, 1, 0],
        [1, 2, 0],
        [2, 3, 0],
        [1, 0, 2],
        [3, 2, 2],
        [1, 3, 1],
    ]
    graphs = structure.build([nodes, nodes], "cpu")
    assert type(graphs) is Graphs
    assert graphs.n_of_type == (6, 2, 4)


def test_edges_without_a_circle(doc):
    structure = TokenDag(edges={"words": NextTokenEdges()})
    assert type(structure.build([structure.read(doc)], "cpu")) is Dags


def test_edges_in_a_circle(doc):
    """The film leads into the circle, but is no part of it."""
    edges = {"words": Given(np.array([[3, 0, 0], [0, 1, 0], [1, 2, 1], [2, 0, 0]]))}
    with pytest.raises(StructureError) as error:
        TokenDag(edges=edges).read(doc)
    assert str(error.value) == (
        "the document 'we saw the film ': expected edges without a cycle, got no order of 'we', "
        "'saw', 'the', which form a cycle. Remove edges, or use rnnpipe.TokenGraph.v1 with an "
        "encoder for any graph."
    )
    with pytest.raises(StructureError, match="'we', 'saw', 'the', 'film', which form a cycle"):
        TokenDag(edges={"words": TwoWayEdges(edges=NextTokenEdges())}).read(doc)


@pytest.mark.parametrize("edge", [[0, 4, 0], [-1, 0, 0], [0, 1, 2]])
def test_edges_of_a_plugin_that_are_wrong(doc, edge):
    structure = TokenGraph(edges={"mine": Given(np.array([[0, 1, 1], edge]))})
    with pytest.raises(StructureError) as error:
        structure.read(doc)
    assert str(error.value) == (
        "the document 'we saw the film ': expected edges 'mine' between its 4 tokens, of 2 types, "
        f"got {edge}. An edge is [from, to, type], each counted from 0."
    )


def test_edges_of_a_plugin_without_types(doc):
    structure = TokenGraph(edges={"mine": Given(np.array([[0, 1]]))})
    with pytest.raises(StructureError) as error:
        structure.read(doc)
    assert str(error.value) == (
        "the document 'we saw the film ': expected an array of shape (e, 3) from the edges "
        "'mine', got "
        "(1, 2)."
    )


@pytest.mark.parametrize(("function", "name"), [(TokenGraph, "TokenGraph"), (TokenDag, "TokenDag")])
def test_no_edges(function, name):
    with pytest.raises(SettingsError) as error:
        function(edges={})
    assert str(error.value) == (
        f"rnnpipe.{name}.v1, edges: expected at least one block, got no blocks. Add a block such "
        "as [components.tagger.model.structure.edges.next] under it."
    )


def test_no_parse():
    structure = TokenGraph(edges={"syntax": DependencyEdges()})
    with pytest.raises(StructureError, match="the document 'a b ': expected a dependency parse"):
        structure.read(Doc(NLP.vocab, words=["a", "b"]))
