"""The LSTM on a CPU: one product and a few operations a step, in place, and a backward pass written
by hand that takes weight gradients in one product over all steps.

``tanh(a) = 1 - 2 sigma(-2 a)``, so the candidate's weights are scaled by -2, and the gates and the
candidate are one sigma over contiguous memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rnnpipe.parts.encoders.sequence.cell import LayerState
from rnnpipe.parts.encoders.sequence.steps import Steps

if TYPE_CHECKING:
    from rnnpipe.parts.encoders.sequence.lstm_cells import LSTMCell


def run_lstm(cell: LSTMCell, x: Tensor, initial: LayerState, steps: Steps) -> LayerState:
    """What :meth:`LSTMCell.step` gives step by step. Under autocast the matrix products are in the
    lower precision, everything else and the result in the weights'.

    x: ``(D, N, n_in)``.
    initial: h and c, ``(D, B, H)`` each.
    RETURNS: h and c, ``(D, B + N, H)`` each: the initial states, then those after each row.
    """
    dtype = cell.bias.dtype
    device = x.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
    weights = (cell.input_weight, cell.hidden.matrix, cell.bias)
    states = _LSTM.apply(  # type: ignore[no-untyped-call]
        x.to(cell.bias.dtype), *initial, *weights, steps, dtype
    )
    return cast(LayerState, states)


class _LSTM(torch.autograd.Function):
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
        dtype: torch.dtype,
    ) -> tuple[Tensor, Tensor]:
        width = weight.shape[1]
        scale = bias.new_ones(4 * width)
        scale[2 * width : 3 * width] = -2.0
        gates = _product(x, input_weight * scale, dtype).add_(bias * scale)  # (D, N, 4H)
        recurrent = (weight * scale).to(dtype)
        tanh_c = gates.new_empty(*gates.shape[:2], width)
        h, c = _with_room(h0, tanh_c), _with_room(c0, tanh_c)  # (D, B + N, H)
        h_prev, c_prev = h0, c0
        blocks = [gates, *gates.chunk(4, dim=-1), tanh_c, _rows(h, gates), _rows(c, gates)]
        for a, i, f, g, o, tanh_t, h_t, c_t in _by_step(steps, blocks):
            n = a.shape[1]
            _add_product_(a, h_prev.narrow(1, 0, n), recurrent).sigmoid_()
            torch.addcmul(i, f, c_prev.narrow(1, 0, n), out=c_t)
            c_t.addcmul_(i, g, value=-2)  # c = f c + i tanh(g)
            torch.mul(o, torch.tanh(c_t, out=tanh_t), out=h_t)
            h_prev, c_prev = h_t, c_t
        ctx.save_for_backward(x, input_weight, weight, gates, tanh_c, h, c)
        ctx.steps, ctx.dtype = steps, dtype
        ctx.set_materialize_grads(False)
        return h, c

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dh: Tensor | None, dc: Tensor | None) -> tuple[Tensor | None, ...]:
        x, input_weight, weight, gates, tanh_c, h, c = ctx.saved_tensors
        steps, dtype, width = ctx.steps, ctx.dtype, weight.shape[1]
        batch_size = h.shape[1] - gates.shape[1]
        dh = torch.zeros_like(h) if dh is None else dh.clone()
        dc = torch.zeros_like(c) if dc is None else dc.clone()
        da, dc_dh = _derivatives(gates, tanh_c, c.index_select(1, steps.previous))
        transposed = weight.to(dtype).mT
        f = gates[..., width : 2 * width]
        ifg = da[..., : 3 * width].view(*gates.shape[:2], 3, width)
        blocks = [da, ifg, da[..., 3 * width :], dc_dh, f, _rows(dh, gates), _rows(dc, gates)]
        views = _by_step(steps, blocks)
        before = [(dh[:, :batch_size], dc[:, :batch_size]), *(view[-2:] for view in views)]
        for view, (dh_prev, dc_prev) in zip(reversed(views), before[-2::-1], strict=True):
            da_t, ifg_t, o_t, dc_dh_t, f_t, dh_t, dc_t = view
            n = da_t.shape[1]
            dc_t.addcmul_(dh_t, dc_dh_t)
            ifg_t.mul_(dc_t.unsqueeze(2))
            o_t.mul_(dh_t)
            dc_prev.narrow(1, 0, n).addcmul_(dc_t, f_t)
            _add_product_(dh_prev.narrow(1, 0, n), da_t, transposed)
        return (
            _product(da, input_weight.mT, dtype) if ctx.needs_input_grad[0] else None,
            dh[:, :batch_size],
            dc[:, :batch_size],
            _product(x.mT, da, dtype),
            _product(h.index_select(1, steps.previous).mT, da, dtype),
            da.sum(1, keepdim=True),
            None,
            None,
        )


def _derivatives(gates: Tensor, tanh_c: Tensor, c_prev: Tensor) -> tuple[Tensor, Tensor]:
    """For all steps at once: d c / d a of the blocks i, f, g and d h / d a of o, where a is before
    sigma or tanh, ``(D, N, 4H)``; and d h / d c, ``(D, N, H)``."""
    i, _, g, o = gates.chunk(4, dim=-1)
    da = torch.addcmul(gates, gates, gates, value=-1)  # of sigma: a (1 - a)
    di, df, dg, do = da.chunk(4, dim=-1)
    di.mul_(torch.rsub(g, 1.0, alpha=2.0))
    df.mul_(c_prev)
    dg.mul_(i).mul_(4.0)  # 1 - tanh^2 = 4 sigma (1 - sigma)
    do.mul_(tanh_c)
    return da, torch.addcmul(o, o * tanh_c, tanh_c, value=-1)


def _with_room(initial: Tensor, rows: Tensor) -> Tensor:
    """Return the initial states, and then room for as many as there are rows."""
    batch_size = initial.shape[1]
    states = rows.new_empty(len(rows), batch_size + rows.shape[1], rows.shape[2])
    states[:, :batch_size] = initial
    return states


def _rows(states: Tensor, like: Tensor) -> Tensor:
    """Return the states without the initial ones."""
    return states[:, states.shape[1] - like.shape[1] :]


def _by_step(steps: Steps, blocks: list[Tensor]) -> list[tuple[Tensor, ...]]:
    """Return each step's rows of each block."""
    return list(zip(*(torch.split(block, steps.sizes, dim=1) for block in blocks), strict=True))


def _product(a: Tensor, b: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.bmm(a.to(dtype), b.to(dtype)).to(a.dtype)


def _add_product_(total: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """``total += a b``, the product in b's precision."""
    if total.dtype == b.dtype:
        return total.baddbmm_(a, b)
    return total.add_(torch.bmm(a.to(b.dtype), b))
