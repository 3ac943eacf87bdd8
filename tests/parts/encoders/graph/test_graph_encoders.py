"""Whole batches at once equal one node and one edge after the other, whatever the graphs."""

import pytest
import torch
from helpers.graph_oracle import both_ways, dag_states, graph_state_states
from helpers.graphs_drawn import N_TYPES, graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.errors import StructureError
from rnnpipe.parts.encoders.graph.dag import BiDagLSTM, DagLSTM
from rnnpipe.parts.encoders.graph.graph_state import GraphStateLSTM
from rnnpipe.parts.encoders.sequence.bidirectional import BiLSTM
from rnnpipe.parts.encoders.tree.tree import ChildSumTreeLSTM
from rnnpipe.structures import Dags, Graphs, Sequences, Trees

N_IN = 3
#: How each is built, its structure, and what it makes of one document.
ENCODERS = {
    "dag, full parametrization": (DagLSTM(width=4), lambda e, *a: dag_states(e.cell, *a)),
    "dag, edge-type embedding": (
        DagLSTM(width=4, type_width=2),
        lambda e, *a: dag_states(e.cell, *a),
    ),
    "both, full parametrization": (BiDagLSTM(width=4), both_ways),
    "both, edge-type embedding": (BiDagLSTM(width=4, type_width=2), both_ways),
    "graph state": (GraphStateLSTM(width=4, steps=3, type_width=2), graph_state_states),
}


@pytest.fixture(params=sorted(ENCODERS))
def case(request):
    builder, oracle = ENCODERS[request.param]
    return disturbed(builder.typed(N_TYPES)(N_IN)), oracle


def disturbed(encoder):
    """Away from its first weights, some of which are zero."""
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return encoder.double()


def padded(documents, kind, seed=0):
    structure = kind.from_edges([n for n, _ in documents], [e for _, e in documents], N_TYPES)
    generator = torch.Generator().manual_seed(seed)
    shape = (len(documents), structure.size, N_IN)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    return structure.blank(x).requires_grad_(), structure


def test_at_once_equals_one_by_one(case):
    encoder, oracle = case

    @settings(deadline=None, max_examples=25)
    @given(st.lists(graphs(acyclic=encoder.structure is Dags), min_size=1, max_size=3))
    def check(documents):
        x, structure = padded(documents, encoder.structure)
        fast = encoder(x, structure).states
        slow = [oracle(encoder, x[i, :n], edges) for i, (n, edges) in enumerate(documents)]
        for i, states in enumerate(slow):
            torch.testing.assert_close(fast[i, : len(states)], states)
            assert fast[i, len(states) :].abs().sum() == 0
        weights = [x, *encoder.parameters()]
        factor = torch.randn_like(fast)
        loss = sum((s * f[: len(s)]).sum() for s, f in zip(slow, factor, strict=True))
        options = {"allow_unused": True, "materialize_grads": True}
        ours = torch.autograd.grad((fast * factor).sum(), weights, **options)
        if not loss.requires_grad:
            return
        theirs = torch.autograd.grad(loss, weights, **options)
        for gradient, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(gradient, other)

    check()


def test_over_a_tree_it_is_the_child_sum_tree_lstm():
    parents = [2, 2, 5, 4, 5, -1]
    edges = [[child, parent, 0] for child, parent in enumerate(parents) if parent >= 0]
    tree_lstm = disturbed(ChildSumTreeLSTM(width=4)(N_IN))
    dag_lstm = DagLSTM(width=4)(N_IN).double()
    cell = tree_lstm.cell
    with torch.no_grad():
        dag_lstm.cell.input_weight.copy_(cell.input_weight)
        dag_lstm.cell.bias.copy_(cell.bias)
        dag_lstm.cell.edges.matrices[0].copy_(torch.cat([cell.recurrent, cell.forget], dim=1))
    x = torch.randn(1, len(parents), N_IN, dtype=torch.float64)
    tree = tree_lstm(x, Trees.from_parents([parents])).states
    graph = dag_lstm(x, Dags.from_edges([len(parents)], [edges], 1)).states
    torch.testing.assert_close(graph, tree)


def test_over_a_chain_it_is_the_bidirectional_lstm():
    n = 5
    edges = [e for i in range(n - 1) for e in ([i, i + 1, 0], [i + 1, i, 0])]
    sequence = disturbed(BiLSTM(width=4)(N_IN))
    graph = BiDagLSTM(width=4)(N_IN).double()
    (cell,) = sequence.layers
    gates = torch.cat([torch.arange(g * 4, g * 4 + 4) for g in (0, 2, 3, 1)])  # i, u, o, f
    with torch.no_grad():
        for d, ours in enumerate((graph.to_later, graph.to_earlier)):
            ours.input_weight.copy_(cell.input_weight[d][:, gates])
            ours.bias.copy_(cell.bias[d, 0][gates])
            ours.edges.matrices[0].copy_(cell.hidden.matrix[d][:, gates])
    x = torch.randn(1, n, N_IN, dtype=torch.float64)
    want = sequence(x, Sequences.of([n]))
    got = graph(x, Graphs.from_edges([n], [edges], 1))
    torch.testing.assert_close(got.states, want.states)
    torch.testing.assert_close(got.final, want.final)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_message_passes_an_edge_a_step(steps):
    encoder = disturbed(GraphStateLSTM(width=4, steps=steps)(N_IN))
    chain = [[i, i + 1, 0] for i in range(5)]
    structure = Graphs.from_edges([6], [chain], 1)
    x = torch.randn(1, 6, N_IN, dtype=torch.float64, requires_grad=True)
    encoder(x, structure).states[0, 5].sum().backward()
    heard = [bool(row.abs().sum() > 0) for row in x.grad[0]]
    assert heard == [node >= 5 - steps for node in range(6)]


def test_graphs_thousands_of_nodes_deep():
    n = 2000
    encoder = DagLSTM(width=2)(N_IN)
    chain = [[i, i + 1, 0] for i in range(n - 1)]
    x = torch.randn(1, n, N_IN, requires_grad=True)
    encoder(x, Dags.from_edges([n], [chain], 1)).states[0, -1].sum().backward()
    assert x.grad.isfinite().all()


def test_a_cycle():
    cyclic = Dags.from_edges([3], [[[0, 1, 0], [1, 2, 0], [2, 1, 0]]], 1)
    with pytest.raises(StructureError) as error:
        DagLSTM(width=2)(N_IN)(torch.zeros(1, 3, N_IN), cyclic)
    assert str(error.value) == (
        "Dags: expected graphs without cycles, got 3 nodes that lead into a cycle. Remove edges, "
        "or choose an encoder for any graph, such as 'rnnpipe.GraphStateLSTM.v1'."
    )
