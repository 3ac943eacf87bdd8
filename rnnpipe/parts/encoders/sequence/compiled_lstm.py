"""The LSTM on a CPU where numba is installed: a step is one product and one compiled loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rnnpipe.layers.jit import compiles, kernels
from rnnpipe.parts.encoders.sequence.cell import LayerState
from rnnpipe.parts.encoders.sequence.steps import Steps

if TYPE_CHECKING:
    from rnnpipe.parts.encoders.sequence.lstm_cells import LSTMCell

_KERNELS = "rnnpipe.parts.encoders.sequence.lstm_kernels"


def lstm_compiles(*tensors: Tensor) -> bool:
    """Return whether there are kernels for such inputs, weights and states: float32 on a CPU,
    without autocast."""
    return compiles(_KERNELS, *tensors)


@dataclass(frozen=True)
class Course:
    """In what order an LSTM computes its rows, and which states each follows on.

    States are stored as B initial ones and then one for each of N rows of input. The rows of a step
    stand one after the other, and so do those that its k-th recurrent matrix is given; the cell
    state comes from where the first matrix' do. Rows that are in no step are left at zero.

    steps: of each step, where its rows begin among the N; where those that they follow on begin
        among the B + N, one number a matrix; and how many they are.
    previous: ``(K, N)`` the same row by row; anything for rows that are in no step.
    """

    steps: list[tuple[int, tuple[int, ...], int]]
    previous: Tensor


def run_compiled_lstm(cell: LSTMCell, x: Tensor, initial: LayerState, steps: Steps) -> LayerState:
    """What :func:`rnnpipe.parts.encoders.sequence.fast_lstm.run_lstm` gives, to rounding."""
    course = Course(_places(steps, initial[0].shape[1]), steps.previous.unsqueeze(0))
    weights = (cell.input_weight, cell.hidden.matrix.unsqueeze(1), cell.bias)
    return compiled_lstm(x, initial, weights, course)


def compiled_lstm(
    x: Tensor, initial: LayerState, weights: tuple[Tensor, Tensor, Tensor], course: Course
) -> LayerState:
    """Return an LSTM whose rows follow on several states each.

    x: ``(D, N, n_in)``.
    initial: h and c, ``(D, B, H)`` each.
    weights: of the input ``(D, n_in, 4H)``, of the states ``(D, K, H, 4H)``, bias ``(D, 1, 4H)``.
    RETURNS: h and c, ``(D, B + N, H)`` each: the initial states, then those after each row.
    """
    states = _CompiledLSTM.apply(x, *initial, *weights, course)  # type: ignore[no-untyped-call]
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
        course: Course,
    ) -> tuple[Tensor, Tensor]:
        run = cast(Any, kernels(_KERNELS))
        gates = torch.baddbmm(bias, x, input_weight)
        h, c = (torch.cat([s, s.new_zeros(len(s), x.shape[1], s.shape[2])], 1) for s in (h0, c0))
        arrays = [t.numpy() for t in (gates, h, c)]
        matrices = weight.unbind(1)
        for begin, before, n in course.steps:
            a = gates.narrow(1, begin, n)
            for start, matrix in zip(before, matrices, strict=True):
                a.baddbmm_(h.narrow(1, start, n), matrix)
            run.forward(*arrays, begin, before[0], n)
        ctx.save_for_backward(x, input_weight, weight, gates, h, c)
        ctx.course = course
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
        da = torch.zeros_like(gates)
        transposed = [matrix.mT.contiguous() for matrix in weight.unbind(1)]
        arrays = [t.numpy() for t in (gates, c, dh, dc, da)]
        for begin, before, n in reversed(ctx.course.steps):
            run.backward(*arrays, begin, before[0], n)
            da_t = da.narrow(1, begin, n)
            for start, matrix in zip(before, transposed, strict=True):
                dh.narrow(1, start, n).baddbmm_(da_t, matrix)
        d_weight = [torch.bmm(h.index_select(1, rows).mT, da) for rows in ctx.course.previous]
        return (
            torch.bmm(da, input_weight.mT) if ctx.needs_input_grad[0] else None,
            dh[:, :batch_size],
            dc[:, :batch_size],
            torch.bmm(x.mT, da),
            torch.stack(d_weight, dim=1),
            da.sum(1, keepdim=True),
            None,
        )


def _places(steps: Steps, batch_size: int) -> list[tuple[int, tuple[int, ...], int]]:
    """:attr:`Course.steps` of sequences: a step follows on the one before."""
    places: list[tuple[int, tuple[int, ...], int]] = []
    begin, before = 0, 0
    for n in steps.sizes:
        places.append((begin, (before,), n))
        begin, before = begin + n, batch_size + begin
    return places
