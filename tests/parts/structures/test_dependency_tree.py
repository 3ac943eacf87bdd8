"""Heads as trees, with the tokens in their order for decoders."""

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

from rnnpipe.errors import StructureError
from rnnpipe.parts.structures.dependency_tree import DependencyTree

NLP = spacy.blank("en")


def doc_with(heads):
    n = len(heads)
    return Doc(NLP.vocab, words=[f"w{i}" for i in range(n)], heads=heads, deps=["dep"] * n)


@st.composite
def heads(draw):
    """Trees in any order of their tokens: each token's head stands before it in a permutation."""
    order = draw(st.permutations(range(draw(st.integers(1, 8)))))
    found = [0] * len(order)
    for position, token in enumerate(order):
        found[token] = order[draw(st.integers(0, position))]
    return found


@settings(deadline=None, max_examples=60)
@given(heads())
def test_every_token_is_under_its_head(heads):
    nodes = DependencyTree().read(doc_with(heads))
    for node, (token, parent) in enumerate(zip(nodes.tokens, nodes.links, strict=True)):
        assert nodes.labelled[token] == node
        assert (nodes.tokens[parent] if parent >= 0 else token) == heads[token]
        assert parent == -1 or parent > node


def test_post_order():
    nodes = DependencyTree().read(doc_with([1, 4, 1, 2, 4]))
    assert nodes.tokens.tolist() == [0, 3, 2, 1, 4]
    assert nodes.links.tolist() == [3, 2, 3, 4, -1]
    assert nodes.labelled.tolist() == [0, 3, 2, 1, 4]


def test_heads_in_a_circle():
    with pytest.raises(StructureError) as error:
        DependencyTree().read(doc_with([1, 0, 1, 3]))
    assert str(error.value) == (
        "the document 'w0 w1 w2 w3 ': expected heads that form a tree, got no root above 'w0', "
        "'w1', "
        "'w2', whose heads form a cycle. The heads of each token must lead to a root, which is "
        "its own head."
    )


def test_a_head_outside_the_document():
    class Stray:
        """What spaCy refuses to make: a document whose second token has its head beyond the end."""

        text = "w0 w1"

        def __len__(self):
            return 2

        def has_annotation(self, name):
            return True

        def to_array(self, name):
            return np.array([0, 4], dtype=np.uint64)

    with pytest.raises(StructureError) as error:
        DependencyTree().read(Stray())
    assert str(error.value) == (
        "the document 'w0 w1': expected heads among the 2 tokens, got no such head: 5, for token 1."
    )


def test_no_parse():
    with pytest.raises(StructureError) as error:
        DependencyTree().read(Doc(NLP.vocab, words=["a", "b"]))
    assert str(error.value) == (
        "the document 'a b ': expected a dependency parse, got no heads. Add a parser before "
        "this component, or set heads in the documents."
    )


def test_an_empty_document():
    assert DependencyTree().read(Doc(NLP.vocab)).tokens.size == 0
