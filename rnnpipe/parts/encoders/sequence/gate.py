"""The gated activation unit (van den Oord et al. 2016, Conditional Image Generation with PixelCNN
Decoders): ``gate(a, b) = tanh(a) sigma(b)``."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rnnpipe.layers.jit import compiles, kernels

_KERNELS = "rnnpipe.parts.encoders.sequence.gate_kernels"


def gate(x: Tensor) -> Tensor:
    """A and b side by side: ``(..., 2 * width) -> (..., width)``."""
    if compiles(_KERNELS, x):
        return cast(Tensor, _CompiledGate.apply(x))  # type: ignore[no-untyped-call]
    a, b = x.chunk(2, dim=-1)
    return a.tanh() * b.sigmoid()


class _CompiledGate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.contiguous()
        out = x.new_empty(*x.shape[:-1], x.shape[-1] // 2)
        cast(Any, kernels(_KERNELS)).forward(_rows(x), _rows(out))
        ctx.save_for_backward(x)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        d_x = torch.empty_like(x)
        cast(Any, kernels(_KERNELS)).backward(_rows(x), _rows(gradient.contiguous()), _rows(d_x))
        return d_x


def _rows(x: Tensor) -> Any:
    return x.detach().view(-1, x.shape[-1]).numpy()
