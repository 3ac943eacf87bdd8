"""Up and down again, by levels, equals the two recursions."""

import pytest
import torch
from helpers.tree_oracle import children_of, nary_lstm, recursive_states
from helpers.trees_drawn import forests
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.parts.encoders.tree.bidirectional_tree import BiChildSumTreeLSTM
from rnnpipe.structures import Trees

N_IN = 3


@pytest.fixture
def encoder():
    encoder = BiChildSumTreeLSTM(width=4)(N_IN)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return encoder.double()


def padded(parents):
    structure = Trees.from_parents(parents)
    x = torch.randn(len(parents), structure.size, N_IN, dtype=torch.float64)
    return structure.blank(x).requires_grad_(), structure


def plain_states(encoder, x, parents):
    """One document, node by node: up by one recursion, down by another."""
    up = recursive_states(encoder.up, x, parents)
    children = children_of(parents)
    down = {}

    def visit(node, above):
        # The parent counts as the only child of a unary Tree-LSTM.
        down[node] = nary_lstm(encoder.down, up[node], above)
        for child in children[node]:
            visit(child, [down[node]])

    for root in [node for node, parent in enumerate(parents) if parent < 0]:
        visit(root, [])
    rows = [torch.cat([up[node], down[node][0]]) for node in range(len(parents))]
    return torch.stack(rows) if rows else x.new_zeros(0, encoder.n_out)


def test_levels_equal_the_recursions(encoder):
    @settings(deadline=None, max_examples=30)
    @given(st.lists(forests(), min_size=1, max_size=4))
    def check(parents):
        x, structure = padded(parents)
        fast = encoder(x, structure).states
        slow = [plain_states(encoder, x[i], p) for i, p in enumerate(parents)]
        for i, states in enumerate(slow):
            torch.testing.assert_close(fast[i, : len(states)], states)
        weights = [x, *encoder.parameters()]
        factor = torch.randn_like(fast)
        loss = sum((s * f[: len(s)]).sum() for s, f in zip(slow, factor, strict=True))
        options = {"allow_unused": True, "materialize_grads": True}
        ours = torch.autograd.grad((fast * factor).sum(), weights, **options)
        if loss.requires_grad:
            theirs = torch.autograd.grad(loss, weights, **options)
            for gradient, other in zip(ours, theirs, strict=True):
                torch.testing.assert_close(gradient, other)

    check()


def test_a_state_depends_on_the_nodes_of_its_tree_alone(encoder):
    parents = [2, 2, 5, 4, 5, -1, 7, -1]
    x, structure = padded([parents])

    def sums(inputs):
        return encoder(inputs, structure).states.sum(-1)[0]

    jacobian = torch.autograd.functional.jacobian(sums, x)[:, 0].abs().sum(-1)
    tree = torch.tensor([0] * 6 + [1] * 2)
    assert torch.equal(jacobian > 1e-12, tree.unsqueeze(1) == tree)


def test_trees_thousands_of_nodes_deep(encoder):
    n = 3000
    x, structure = padded([[*range(1, n), -1], [1, -1]])
    states = encoder(x, structure).states
    states[0, 0].sum().backward()
    assert states.isfinite().all()
    assert x.grad[0, 0].abs().sum() > 0
