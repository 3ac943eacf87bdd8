"""The gated activation unit, compiled, equals the plain equation."""

import pytest
import torch

from rnnpipe.layers import jit
from rnnpipe.parts.encoders.sequence.gate import gate


def plain(x):
    a, b = x.chunk(2, dim=-1)
    return torch.tanh(a) * torch.sigmoid(b)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 5, 6), (0, 8), (7, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equal_to_the_equation(shape, dtype):
    x = (3 * torch.randn(shape, dtype=dtype)).requires_grad_()
    weights = torch.randn(*shape[:-1], shape[-1] // 2, dtype=dtype)
    results = []
    for function in (gate, plain):
        y = function(x)
        results.append((y, *torch.autograd.grad((y * weights).sum(), x)))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def test_inputs_may_be_laid_out_in_any_way():
    x = torch.randn(4, 6, 5).mT
    torch.testing.assert_close(gate(x), plain(x))
    y = torch.randn(2, 6, requires_grad=True)
    gate(y).sum().backward()  # whose gradient is an expanded number
    assert y.grad.abs().sum() > 0


def test_without_numba(monkeypatch):
    x = torch.randn(2, 6)
    want = gate(x)
    monkeypatch.setattr(jit, "kernels", lambda module: None)
    torch.testing.assert_close(gate(x), want)


def test_nan_stays_in_its_row():
    x = torch.randn(3, 6)
    x[1, 0] = torch.nan
    assert gate(x).isnan().any(dim=1).tolist() == [False, True, False]
