"""The plan of a batch of trees: every node once, children just before their parents."""

import numpy as np
import pytest
import torch
from helpers.trees_drawn import forests
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.errors import StructureError
from rnnpipe.structures import Trees

BATCHES = st.lists(forests(), max_size=4)


def numbered(parents):
    """Each node's number in the flattened batch, at its place: ``(B, T, 1)``."""
    structure = Trees.from_parents(parents)
    shape = (len(parents), structure.size, 1)
    return structure, torch.arange(shape[0] * shape[1], dtype=torch.float32).view(shape)


def walk(parents):
    """The parent of each row of each step's level below, and its children, as node numbers."""
    structure, x = numbered(parents)
    rows = structure.gather(x)[:, 0].tolist()
    leaves, inner = rows[: structure.n_leaves], rows[structure.n_leaves :]
    level = []
    for step in structure.steps:
        below = level + leaves[: step.n_leaves]
        leaves = leaves[step.n_leaves :]
        level, inner = inner[: step.n_nodes], inner[step.n_nodes :]
        yield level, below, step
    assert inner == []


@settings(deadline=None, max_examples=100)
@given(BATCHES)
def test_steps_join_each_child_to_its_parent(parents):
    size = max((len(p) for p in parents), default=0)
    edges = {
        b * size + child: b * size + parent
        for b, document in enumerate(parents)
        for child, parent in enumerate(document)
        if parent >= 0
    }
    joined, listed = {}, {}
    for level, below, step in walk(parents):
        joined.update(zip(below, (level[i] for i in step.parents.tolist()), strict=True))
        for node, children in zip(level, step.children.tolist(), strict=True):
            listed[node] = [below[c] for c in children if c < len(below)]
    assert joined == edges
    in_order = {}
    for child in sorted(edges):
        in_order.setdefault(edges[child], []).append(child)
    assert listed == in_order


@settings(deadline=None, max_examples=100)
@given(BATCHES)
def test_what_is_gathered_is_scattered_back(parents):
    structure, x = numbered(parents)
    assert len(structure.gather(x)) == sum(map(len, parents))
    assert torch.equal(structure.scatter(structure.gather(x)), structure.blank(x))
    assert structure.host_lengths == tuple(map(len, parents))


def test_as_many_steps_as_the_deepest_tree_has_levels():
    chain = [1, 2, 3, -1]
    structure = Trees.from_parents([chain, [2, 2, -1], []])
    assert [step.n_nodes for step in structure.steps] == [1, 1, 2]
    assert structure.arity == 2
    assert structure.n_leaves == 3


@pytest.mark.parametrize(
    ("parents", "problem"),
    [
        ([0], "got 0 as the parent of node 0"),
        ([-1, 0], "got 0 as the parent of node 1"),
        ([1, 5, -1], "got 5 as the parent of node 1"),
        ([-2], "got -2 as the parent of node 0"),
    ],
)
def test_parents_come_after_their_children(parents, problem):
    with pytest.raises(StructureError) as error:
        Trees.from_parents([[-1], parents])
    assert str(error.value) == (
        f"Trees: expected each parent after its children, up to node {len(parents) - 1} in "
        f"document 1 of the batch, or -1 for a root, {problem}. List the nodes in post-order."
    )


def test_arrays_are_read_as_lists_are():
    ours, theirs = (Trees.from_parents([make([2, 2, -1])]) for make in (list, np.array))
    assert torch.equal(ours.rows, theirs.rows)
