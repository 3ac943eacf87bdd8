"""The plan of a batch of graphs: every edge once, from a state that is live to one that is next."""

import pytest
import torch
from helpers.graphs_drawn import N_TYPES, graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.errors import StructureError
from rnnpipe.structures import Dags, Graphs

BATCHES = st.lists(graphs(), max_size=4)


def batch_of(documents, kind=Graphs):
    return kind.from_edges([n for n, _ in documents], [e for _, e in documents], N_TYPES)


def positions(documents):
    """All edges, between places of the flattened batch."""
    size = max((n for n, _ in documents), default=0)
    return sorted(
        (b * size + source, b * size + target, m)
        for b, (_, edges) in enumerate(documents)
        for source, target, m in edges
    )


def walk(plan):
    """The edges that a plan follows, between places of the flattened batch; it checks that they
    come from live states, by type."""
    nodes = plan.order.tolist()
    live, edges = [], []
    for step in plan.steps:
        new, nodes = nodes[: step.n_nodes], nodes[step.n_nodes :]
        types = step.types.tolist()
        assert types == [m for m, n in enumerate(step.n_of_type) for _ in range(n)]
        ends = zip(step.sources.tolist(), step.targets.tolist(), types, strict=True)
        edges += [(live[source], new[target], m) for source, target, m in ends]
        live = [(live + new)[row] for row in step.live.tolist()]
    assert nodes == live == []
    return sorted(edges)


@settings(deadline=None, max_examples=100)
@given(BATCHES)
def test_all_edges_are_kept_by_type(documents):
    structure = batch_of(documents)
    nodes = structure.order.tolist()
    ends = zip(
        *(x.tolist() for x in (structure.sources, structure.targets, structure.types)), strict=True
    )
    assert sorted((nodes[a], nodes[b], m) for a, b, m in ends) == positions(documents)
    assert structure.types.tolist() == [
        m for m, n in enumerate(structure.n_of_type) for _ in range(n)
    ]
    assert structure.host_lengths == tuple(n for n, _ in documents)


@settings(deadline=None, max_examples=100)
@given(BATCHES)
def test_plans_follow_each_edge_in_its_direction(documents):
    structure = batch_of(documents)
    edges = positions(documents)
    assert walk(structure.forward_plan) == [e for e in edges if e[0] < e[1]]
    assert walk(structure.backward_plan) == [e for e in edges if e[0] > e[1]]


@settings(deadline=None, max_examples=100)
@given(st.lists(graphs(acyclic=True), max_size=4))
def test_a_plan_without_cycles_follows_all_edges(documents):
    plan = batch_of(documents, Dags).plan
    assert walk(plan) == positions(documents)


@settings(deadline=None, max_examples=50)
@given(BATCHES)
def test_what_is_gathered_is_scattered_back(documents):
    structure = batch_of(documents)
    x = torch.randn(len(documents), structure.size, 2)
    for order in (structure, structure.forward_plan):
        assert torch.equal(order.scatter(order.gather(x)), structure.blank(x))


def test_few_states_are_live():
    """Of a tree whose edges lead to the root, the children of the next level; of a chain, one."""
    tree = [[0, 4, 0], [1, 4, 0], [2, 5, 0], [3, 5, 0], [4, 6, 0], [5, 6, 0]]
    chain = [[i, i + 1, 0] for i in range(4)]
    steps = Dags.from_edges([7], [tree], 1).plan.steps
    assert [len(step.live) for step in steps] == [4, 2, 0]
    steps = Dags.from_edges([5], [chain], 1).plan.steps
    assert [len(step.live) for step in steps] == [1, 1, 1, 1, 0]


@pytest.mark.parametrize("edge", [[0, 3, 0], [-1, 0, 0], [0, 1, 2], [0, 1, -1]])
def test_edges_between_nodes_of_known_types(edge):
    with pytest.raises(StructureError) as error:
        Graphs.from_edges([5, 3], [[], [[0, 1, 1], edge]], 2)
    assert str(error.value) == (
        "Graphs, document 1 of the batch: expected edges between its 3 nodes, of 2 types, got "
        f"{edge}. An edge is [from, to, type], each counted from 0."
    )
