"""Dropout: how much, where, and whose rate."""

import pytest
import torch
from torch import nn

from rnnpipe.layers.dropout import Dropout, set_dropout_rate


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("locked", [False, True])
def test_the_share_dropped_and_the_scale_of_the_rest(rate, locked):
    torch.manual_seed(0)
    y = Dropout(rate, locked).train()(torch.ones(200, 1 if locked else 10, 50))
    n = y.numel()
    assert float((y == 0).float().mean()) == pytest.approx(
        rate, abs=5 * (rate * (1 - rate) / n) ** 0.5
    )
    assert y[y != 0].unique().tolist() == pytest.approx([1 / (1 - rate)])


def test_neighbouring_values_are_dropped_independently():
    torch.manual_seed(0)
    kept = (Dropout(0.5).train()(torch.ones(1, 1, 40_000)) != 0).float().flatten()
    for lag in (1, 2, 3, 4, 8):
        correlation = float(((kept[:-lag] - 0.5) * (kept[lag:] - 0.5)).mean() * 4)
        assert abs(correlation) < 5 / 40_000**0.5


def test_a_locked_mask_is_the_same_at_every_step():
    torch.manual_seed(0)
    y = Dropout(0.5, locked=True).train()(torch.ones(3, 7, 20))
    assert torch.equal(y, y[:, :1].expand_as(y))
    assert not torch.equal(y[0], y[1])


def test_a_rate_of_its_own_wins_over_the_training_loops():
    network = nn.Sequential(Dropout(), Dropout(0.0), Dropout(0.25))
    set_dropout_rate(network, 0.5)
    assert [layer.effective_rate for layer in network] == [0.5, 0.0, 0.25]


def test_nothing_is_dropped_in_evaluation_or_at_rate_zero():
    x = torch.randn(2, 3, 4)
    assert Dropout(0.9).eval()(x) is x
    assert Dropout(0.0).train()(x) is x
    assert torch.equal(Dropout(0.9).eval().mask((2, 5), x), torch.ones(2, 5))


def test_the_gradient_is_the_mask():
    torch.manual_seed(0)
    x = torch.randn(4, 5, 6, requires_grad=True)
    y = Dropout(0.5).train()(x)
    y.sum().backward()
    torch.testing.assert_close(x.grad * x, y)


def test_runs_without_a_device():
    x = torch.randn(2, 3, 4, device="meta", requires_grad=True)
    Dropout(0.5).train()(x).sum().backward()
    assert x.grad.shape == x.shape
