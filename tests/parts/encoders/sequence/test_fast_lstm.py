"""The LSTM's own passes against the plain loop over its equation."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.layers import jit
from rnnpipe.parts.encoders.sequence.cell import run_steps
from rnnpipe.parts.encoders.sequence.compiled_lstm import lstm_compiles, run_compiled_lstm
from rnnpipe.parts.encoders.sequence.fast_lstm import run_lstm
from rnnpipe.parts.encoders.sequence.lstm_cells import LSTMCell
from rnnpipe.parts.encoders.sequence.recurrent import LSTM
from rnnpipe.parts.encoders.sequence.steps import Steps, _padded
from rnnpipe.structures import Sequences

LENGTHS = st.lists(st.integers(0, 5), min_size=1, max_size=5)


@pytest.fixture(params=["torch", "numba"])
def run(request):
    """Every test that asks for it runs by torch's operations and by compiled loops."""
    if request.param == "torch":
        return Way(run_lstm, torch.float64, {})
    return Way(run_compiled_lstm, torch.float32, {"atol": 1e-5, "rtol": 1e-4})


class Way(NamedTuple):
    """A way to run an LSTM, the precision that it is for, and how near it must come."""

    lstm: Callable[..., Any]
    dtype: torch.dtype
    near: dict[str, float]

    def __call__(self, *args):
        return self.lstm(*args)


def problem(lengths, directions, dtype, layout=Steps.of):
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
def test_states_and_gradients_equal_those_of_the_equation(run, directions, layout):
    @settings(deadline=None, max_examples=25)
    @given(LENGTHS)
    def check(lengths):
        cell, x, initial, steps = problem(lengths, directions, run.dtype, layout)
        fast, plain = run(cell, x, initial, steps), run_steps(cell, x, initial, steps)
        weights = [torch.randn_like(s) for s in plain]
        leaves = [x, *initial, *cell.parameters()]
        for a, b in zip(fast, plain, strict=True):
            torch.testing.assert_close(a, b, **run.near)
        for a, b in zip(
            gradients(fast, leaves, weights), gradients(plain, leaves, weights), strict=True
        ):
            torch.testing.assert_close(a, b, **run.near)

    check()


@pytest.mark.parametrize("used", [0, 1])
def test_only_h_or_only_c_may_be_used(run, used):
    cell, x, initial, steps = problem([3, 1], 1, run.dtype)
    leaves = [x, *initial, *cell.parameters()]
    weights = [torch.ones(1, 6, 4, dtype=run.dtype)]
    fast = gradients([run(cell, x, initial, steps)[used]], leaves, weights)
    plain = gradients([run_steps(cell, x, initial, steps)[used]], leaves, weights)
    for a, b in zip(fast, plain, strict=True):
        torch.testing.assert_close(a, b, **run.near)


def test_a_fixed_input_gets_no_gradient(run):
    cell, x, initial, steps = problem([3, 1], 1, run.dtype)
    run(cell, x.detach(), initial, steps)[0].sum().backward()
    assert x.grad is None and cell.input_weight.grad.any()


def test_gates_that_are_shut_or_wide_open(run):
    cell, x, initial, steps = problem([4, 2], 2, torch.float32)
    with torch.no_grad():
        cell.bias.copy_(torch.tensor([-300.0, 300.0]).repeat(2, 1, 8))
    fast, plain = run(cell, x, initial, steps), run_steps(cell, x, initial, steps)
    leaves, weights = [x, *cell.parameters()], [torch.ones_like(s) for s in plain]
    for a, b in zip(
        [*fast, *gradients(fast, leaves, weights)],
        [*plain, *gradients(plain, leaves, weights)],
        strict=True,
    ):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
        assert a.isfinite().all()


def test_half_precision_products_are_near():
    cell, x, initial, steps = problem([4, 2], 2, torch.float32)
    leaves = [x, *initial, *cell.parameters()]
    plain = run_steps(cell, x, initial, steps)
    weights = [torch.randn_like(s) for s in plain]
    exact = gradients(plain, leaves, weights)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        fast = run_lstm(cell, x.bfloat16(), initial, steps)
    for a, b in zip([*fast, *gradients(fast, leaves, weights)], [*plain, *exact], strict=True):
        assert a.dtype == torch.float32
        torch.testing.assert_close(a, b, atol=0.2, rtol=0.1)


def test_the_state_is_not_changed_in_place(run):
    cell, x, initial, steps = problem([4, 2], 1, run.dtype)
    copies = [s.detach().clone() for s in (x, *initial, *cell.parameters())]
    h, c = run(cell, x, initial, steps)
    (h.sum() + c.sum()).backward()
    for before, after in zip(copies, (x, *initial, *cell.parameters()), strict=True):
        assert torch.equal(before, after)


def test_a_backward_pass_may_be_repeated(run):
    cell, x, initial, steps = problem([4, 2], 2, run.dtype)
    h, _ = run(cell, x, initial, steps)
    first = torch.autograd.grad(h.sum(), x, retain_graph=True)[0]
    assert torch.equal(torch.autograd.grad(h.sum(), x)[0], first)


def test_nan_is_not_lost(run):
    cell, x, initial, steps = problem([4, 2], 1, run.dtype)
    with torch.no_grad():
        cell.bias[..., 0] = torch.nan
    h, c = run(cell, x, initial, steps)
    assert h[:, 2:].isnan().any() and c[:, 2:].isnan().any()


def test_the_compiled_tanh_is_as_good_as_float32():
    kernels = jit.kernels("rnnpipe.parts.encoders.sequence.lstm_kernels")
    values = np.concatenate([np.linspace(-12, 12, 4001), [0.0, 1e-30, -np.inf, np.inf, 3e38]])
    ours = np.array([kernels.tanh(np.float32(value)) for value in values])
    np.testing.assert_allclose(ours, np.tanh(values.astype(np.float32)), atol=5e-7, rtol=1e-6)
    assert np.isnan(kernels.tanh(np.float32(np.nan)))


def test_compiled_loops_are_for_plain_float32(monkeypatch):
    x = torch.zeros(1)
    assert lstm_compiles(x) == (
        jit.kernels("rnnpipe.parts.encoders.sequence.lstm_kernels") is not None
    )
    assert not lstm_compiles(x.double()) and not lstm_compiles(x.to("meta"))
    assert not lstm_compiles(x, x.double())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not lstm_compiles(x)
    monkeypatch.setattr(jit, "kernels", lambda module: None)
    assert not lstm_compiles(x)


def test_weights_of_another_precision_than_the_input():
    torch.manual_seed(0)
    encoder = LSTM(width=4)(3).double()
    x, structure = torch.randn(2, 3, 3), Sequences.of([3, 2])
    states = encoder(x, structure).states
    torch.testing.assert_close(states, encoder(x.double(), structure).states)
