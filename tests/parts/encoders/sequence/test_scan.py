"""Both ways of a linear recurrence, against a loop."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.parts.encoders.sequence import scan
from rnnpipe.parts.encoders.sequence.scan import linear_scan
from rnnpipe.parts.encoders.sequence.steps import Steps, _padded
from rnnpipe.structures import Sequences

LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=5)


@pytest.fixture(params=["compiled", "parallel"])
def way(request, monkeypatch):
    if request.param == "parallel":
        monkeypatch.setattr(scan, "kernels", lambda module: None)
    else:
        assert scan.kernels(scan._KERNELS) is not None


def by_hand(a, b, initial, steps):
    """Row by row."""
    states = list(initial.unbind(1))
    for row, before in enumerate(steps.previous.tolist()):
        states.append(a[:, row] * states[before] + b[:, row])
    every = torch.stack(states, dim=1)
    return every[:, initial.shape[1] :], every[:, steps.last]


def drawn(steps, directions, requires_grad=False):
    generator = torch.Generator().manual_seed(len(steps.rank))

    def random(n):
        x = torch.randn(directions, n, 3, generator=generator).double()
        return x.requires_grad_(requires_grad)

    return random(len(steps.rank)), random(len(steps.rank)), random(len(steps.order))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("make", [Steps.of, _padded])
def test_states_are_those_of_a_loop(directions, make):
    @settings(deadline=None, max_examples=15)
    @given(LENGTHS)
    def check(lengths):
        steps = make(Sequences.of(lengths))
        arguments = drawn(steps, directions)
        for ours, theirs in zip(
            linear_scan(*arguments, steps), by_hand(*arguments, steps), strict=True
        ):
            torch.testing.assert_close(ours, theirs)

    check()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("used", [[0], [1], [0, 1]])
@pytest.mark.parametrize("lengths", [[1], [5], [8, 0, 3], [4, 4], [0]])
def test_gradients_are_those_of_a_loop(lengths, used):
    steps = Steps.of(Sequences.of(lengths))
    arguments, again = drawn(steps, 2, True), drawn(steps, 2, True)
    for way, leaves in ((linear_scan, arguments), (by_hand, again)):
        results = way(*leaves, steps)
        sum(results[i].pow(3).sum() for i in used).backward()
    for ours, theirs in zip(arguments, again, strict=True):
        want = torch.zeros_like(theirs) if theirs.grad is None else theirs.grad
        torch.testing.assert_close(ours.grad, want)


def test_it_runs_without_a_device():
    steps = Steps.of(Sequences(torch.empty(3, dtype=torch.int64, device="meta"), 5))
    arguments = [x.to("meta").requires_grad_() for x in drawn(steps, 1)]
    linear_scan(*arguments, steps)[0].sum().backward()
    assert [x.grad.shape for x in arguments] == [x.shape for x in arguments]


@given(LENGTHS)
@settings(deadline=None, max_examples=15)
def test_a_grid_holds_the_rows(lengths):
    steps = Steps.of(Sequences.of(lengths))
    rows = torch.randn(2, sum(lengths), 3)
    grid = steps.to_grid(rows)
    assert grid.shape == (2, max(1, max(lengths)), len(lengths), 3)
    assert torch.equal(steps.from_grid(grid), rows)
    assert steps.lengths.tolist() == sorted(lengths, reverse=True)
    assert _padded(Sequences.of(lengths)).lengths.tolist() == lengths
    begin = 0
    for step, n in enumerate(steps.sizes):
        assert torch.equal(grid[:, step, :n], rows[:, begin : begin + n])
        assert not grid[:, step, n:].any()
        begin += n
