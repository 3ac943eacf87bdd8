"""The LSTM's own passes against the plain loop over its equation."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.encoders.fast_lstm import run_lstm
from rnnpipe.encoders.layer import run_steps
from rnnpipe.encoders.lstm_cells import LSTMCell
from rnnpipe.encoders.steps import Steps, _padded
from rnnpipe.structures import Sequences

LENGTHS = st.lists(st.integers(0, 5), min_size=1, max_size=5)


def problem(lengths, directions, dtype=torch.float64, layout=Steps.of):
    """A cell, its input, its initial state and the steps of documents of these lengths."""
    cell = LSTMCell(3, 4, directions).to(dtype)
    steps = layout(Sequences.of(lengths))
    x = torch.randn(directions, sum(steps.sizes), 3, dtype=dtype, requires_grad=True)
    shape = (directions, len(lengths), 4)
    initial = tuple(torch.randn(shape, dtype=dtype, requires_grad=True) for _ in range(2))
    return cell, x, initial, steps


def gradients(states, leaves, weights):
    total = sum((s * w).sum() for s, w in zip(states, weights, strict=True))
    return torch.autograd.grad(total, leaves)


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("layout", [Steps.of, _padded], ids=["packed", "padded"])
def test_states_and_gradients_equal_those_of_the_equation(directions, layout):
    @settings(deadline=None, max_examples=25)
    @given(LENGTHS)
    def check(lengths):
        cell, x, initial, steps = problem(lengths, directions, layout=layout)
        fast, plain = run_lstm(cell, x, initial, steps), run_steps(cell, x, initial, steps)
        weights = [torch.randn_like(s) for s in plain]
        leaves = [x, *initial, *cell.parameters()]
        for a, b in zip(fast, plain, strict=True):
            torch.testing.assert_close(a, b)
        for a, b in zip(
            gradients(fast, leaves, weights), gradients(plain, leaves, weights), strict=True
        ):
            torch.testing.assert_close(a, b)

    check()


@pytest.mark.parametrize("used", [0, 1])
def test_only_h_or_only_c_may_be_used(used):
    cell, x, initial, steps = problem([3, 1], 1)
    leaves = [x, *initial, *cell.parameters()]
    weights = [torch.ones(1, 6, 4).double()]
    fast = gradients([run_lstm(cell, x, initial, steps)[used]], leaves, weights)
    plain = gradients([run_steps(cell, x, initial, steps)[used]], leaves, weights)
    for a, b in zip(fast, plain, strict=True):
        torch.testing.assert_close(a, b)


def test_a_fixed_input_gets_no_gradient():
    cell, x, initial, steps = problem([3, 1], 1)
    run_lstm(cell, x.detach(), initial, steps)[0].sum().backward()
    assert x.grad is None and cell.input_weight.grad.any()


def test_gates_that_are_shut_or_wide_open():
    cell, x, initial, steps = problem([4, 2], 2, dtype=torch.float32)
    with torch.no_grad():
        cell.bias.copy_(torch.tensor([-300.0, 300.0]).repeat(2, 1, 8))
    fast, plain = run_lstm(cell, x, initial, steps), run_steps(cell, x, initial, steps)
    leaves, weights = [x, *cell.parameters()], [torch.ones_like(s) for s in plain]
    for a, b in zip(
        [*fast, *gradients(fast, leaves, weights)],
        [*plain, *gradients(plain, leaves, weights)],
        strict=True,
    ):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
        assert a.isfinite().all()


def test_half_precision_products_are_near():
    cell, x, initial, steps = problem([4, 2], 2, dtype=torch.float32)
    leaves = [x, *initial, *cell.parameters()]
    plain = run_steps(cell, x, initial, steps)
    weights = [torch.randn_like(s) for s in plain]
    exact = gradients(plain, leaves, weights)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        fast = run_lstm(cell, x.bfloat16(), initial, steps)
    for a, b in zip([*fast, *gradients(fast, leaves, weights)], [*plain, *exact], strict=True):
        assert a.dtype == torch.float32
        torch.testing.assert_close(a, b, atol=0.2, rtol=0.1)


def test_the_state_is_not_changed_in_place():
    cell, x, initial, steps = problem([4, 2], 1)
    copies = [s.detach().clone() for s in (x, *initial, *cell.parameters())]
    h, c = run_lstm(cell, x, initial, steps)
    (h.sum() + c.sum()).backward()
    for before, after in zip(copies, (x, *initial, *cell.parameters()), strict=True):
        assert torch.equal(before, after)


def test_a_backward_pass_may_be_repeated():
    cell, x, initial, steps = problem([4, 2], 2)
    h, _ = run_lstm(cell, x, initial, steps)
    first = torch.autograd.grad(h.sum(), x, retain_graph=True)[0]
    assert torch.equal(torch.autograd.grad(h.sum(), x)[0], first)
