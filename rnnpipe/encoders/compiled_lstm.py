"""The LSTM on a CPU where numba is installed: a step is one product and one compiled loop."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rnnpipe.encoders.cells import LayerState
from rnnpipe.encoders.lstm_cells import LSTMCell
from rnnpipe.encoders.steps import Steps
from rnnpipe.jit import kernels

_KERNELS = "rnnpipe.encoders.lstm_kernels"


def lstm_compiles(*tensors: Tensor) -> bool:
    """Whether there are kernels for such inputs, weights and states: float32 on a CPU, without
    autocast."""
    return (
        all(t.device.type == "cpu" and t.dtype == torch.float32 for t in tensors)
        and not torch.is_autocast_enabled("cpu")
        and kernels(_KERNELS) is not None
    )


def run_compiled_lstm(cell: LSTMCell, x: Tensor, initial: LayerState, steps: Steps) -> LayerState:
    """What :func:`rnnpipe.encoders.fast_lstm.run_lstm` gives, to rounding."""
    weights = (cell.input_weight, cell.hidden.matrix, cell.bias)
    states = _CompiledLSTM.apply(x, *initial, *weights, steps)  # type: ignore[no-untyped-call]
    return cast(LayerState, states)


class _CompiledLSTM(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h0: Tensor,
        c0: Tensor,
        input_weight: Tensor,
        weight: Tensor,
        bias: Tensor,
        steps: Steps,
    ) -> tuple[Tensor, Tensor]:
        run = cast(Any, kernels(_KERNELS))
        gates = torch.baddbmm(bias, x, input_weight)  # (D, N, 4H)
        h, c = (torch.cat([s, s.new_empty(len(s), x.shape[1], s.shape[2])], 1) for s in (h0, c0))
        arrays = [t.numpy() for t in (gates, h, c)]
        places = _places(steps, h0.shape[1])
        for (begin, before, n), a in zip(
            places, torch.split(gates, steps.sizes, dim=1), strict=True
        ):
            a.baddbmm_(h.narrow(1, before, n), weight)
            run.forward(*arrays, begin, before, n)
        ctx.save_for_backward(x, input_weight, weight, gates, h, c)
        ctx.steps, ctx.places = steps, places
        ctx.set_materialize_grads(False)
        return h, c

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dh: Tensor | None, dc: Tensor | None) -> tuple[Tensor | None, ...]:
        run = cast(Any, kernels(_KERNELS))
        x, input_weight, weight, gates, h, c = ctx.saved_tensors
        batch_size = h.shape[1] - gates.shape[1]
        dh, dc = (
            torch.zeros_like(h) if d is None else d.clone(memory_format=torch.contiguous_format)
            for d in (dh, dc)
        )
        da, transposed = torch.empty_like(gates), weight.mT.contiguous()
        arrays = [t.numpy() for t in (gates, c, dh, dc, da)]
        by_step = zip(ctx.places, torch.split(da, ctx.steps.sizes, dim=1), strict=True)
        for (begin, before, n), da_t in reversed(list(by_step)):
            run.backward(*arrays, begin, before, n)
            dh.narrow(1, before, n).baddbmm_(da_t, transposed)
        return (
            torch.bmm(da, input_weight.mT) if ctx.needs_input_grad[0] else None,
            dh[:, :batch_size],
            dc[:, :batch_size],
            torch.bmm(x.mT, da),
            torch.bmm(h.index_select(1, ctx.steps.previous).mT, da),
            da.sum(1, keepdim=True),
            None,
        )


def _places(steps: Steps, batch_size: int) -> list[tuple[int, int, int]]:
    """Of each step: where its rows begin, where those that they follow on begin among the states
    (the initial ones come first), and how many they are."""
    places, begin, before = [], 0, 0
    for n in steps.sizes:
        places.append((begin, before, n))
        begin, before = begin + n, batch_size + begin
    return places
