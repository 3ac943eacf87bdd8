"""Level by level over the whole batch equals the plain recursion, whatever the trees."""

import pytest
import torch
from helpers.tree_oracle import recursive_states
from helpers.trees_drawn import forests
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.errors import StructureError
from rnnpipe.parts.encoders.tree.tree import (
    RNTN,
    ChildSumTreeLSTM,
    NaryTreeLSTM,
    RecursiveNet,
    TreeGRU,
)
from rnnpipe.structures import Trees

N_IN = 3
BUILDERS = {
    "RecursiveNet": RecursiveNet(width=4, arity=3),
    "RNTN": RNTN(width=4, arity=3),
    "NaryTreeLSTM": NaryTreeLSTM(width=4, arity=3),
    "ChildSumTreeLSTM": ChildSumTreeLSTM(width=4),
    "TreeGRU": TreeGRU(width=4),
}


@pytest.fixture(params=sorted(BUILDERS))
def encoder(request):
    torch.manual_seed(0)
    encoder = BUILDERS[request.param](N_IN)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return encoder.double()


def padded(parents, seed=0):
    structure = Trees.from_parents(parents)
    generator = torch.Generator().manual_seed(seed)
    shape = (len(parents), structure.size, N_IN)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    return structure.blank(x).requires_grad_(), structure


def test_levels_equal_the_recursion(encoder):
    @settings(deadline=None, max_examples=30)
    @given(st.lists(forests(max_arity=3), min_size=1, max_size=4))
    def check(parents):
        x, structure = padded(parents)
        fast = encoder(x, structure).states
        slow = [recursive_states(encoder, x[i], p) for i, p in enumerate(parents)]
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


def test_a_state_depends_on_the_nodes_below_it_alone(encoder):
    parents = [2, 2, 5, 4, 5, -1, -1]
    x, structure = padded([parents])
    below = torch.eye(7, dtype=torch.bool)
    for node, parent in enumerate(parents):
        if parent >= 0:
            below[parent] |= below[node]

    def sums(inputs):
        return encoder(inputs, structure).states.sum(-1)[0]

    jacobian = torch.autograd.functional.jacobian(sums, x)[:, 0].abs().sum(-1)
    assert torch.equal(jacobian > 1e-12, below)


def test_trees_thousands_of_nodes_deep(encoder):
    n = 3000
    chain = [*range(1, n), -1]
    x, structure = padded([chain, [1, -1]])
    states = encoder(x, structure).states
    states[0, -1].sum().backward()
    assert states.isfinite().all()
    assert x.grad[0, -1].abs().sum() > 0


@pytest.mark.parametrize("build", [RecursiveNet, RNTN, NaryTreeLSTM])
def test_more_children_than_weights(build):
    encoder = build(width=2, arity=2)(N_IN)
    with pytest.raises(StructureError) as error:
        encoder(torch.zeros(1, 4, N_IN), Trees.from_parents([[3, 3, 3, -1]]))
    assert str(error.value) == (
        "encoder.arity: expected trees with at most 2 children per node, got a node with 3. Set "
        "arity "
        "to 3, or choose an encoder for any number of children, such as "
        "'rnnpipe.ChildSumTreeLSTM.v1'."
    )
