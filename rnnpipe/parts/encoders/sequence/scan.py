"""``h_t = a_t h_{t-1} + b_t`` over a batch: what is left of a recurrence whose gates do not see the
state. For cells of encoders that are linear in the length of a document.

On a CPU where numba is installed it is one compiled loop. Elsewhere it is a parallel scan (Blelloch
1990, Prefix Sums and Their Applications) in about ``2 log2 T`` steps: neighbours are joined,
``(a, b) then (a', b') = (a' a, a' b + b')``, the recurrence of half the length is scanned in the
same way, and what stands between its states is one step from them.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rnnpipe.layers.jit import kernels
from rnnpipe.parts.encoders.sequence.steps import Steps

_KERNELS = "rnnpipe.parts.encoders.sequence.scan_kernels"


def linear_scan(a: Tensor, b: Tensor, initial: Tensor, steps: Steps) -> tuple[Tensor, Tensor]:
    """H after each row, ``(D, N, H)``, and after each document's last node, ``(D, B, H)``, by
    document.

    a, b: ``(D, N, H)``, a row a node, in the order of ``steps``.
    initial: h before each document's first node, ``(D, B, H)``, by rank.
    """
    compiled = a.device.type == "cpu" and kernels(_KERNELS) is not None
    scan: Any = _CompiledScan if compiled else _ParallelScan
    return cast("tuple[Tensor, Tensor]", scan.apply(a, b, initial, steps))


class _CompiledScan(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, a: Tensor, b: Tensor, initial: Tensor, steps: Steps
    ) -> tuple[Tensor, Tensor]:
        run = cast(Any, kernels(_KERNELS))
        a, h = a.contiguous(), torch.cat([initial, b], dim=1)  # (D, B + N, H)
        run.forward(a.numpy(), h.numpy(), steps.previous.numpy())
        ctx.save_for_backward(a, h)
        ctx.steps = steps
        ctx.set_materialize_grads(False)
        return h[:, initial.shape[1] :], h.index_select(1, steps.last)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dh: Tensor | None, dlast: Tensor | None) -> tuple[Tensor | None, ...]:
        run = cast(Any, kernels(_KERNELS))
        a, h = ctx.saved_tensors
        batch_size = h.shape[1] - a.shape[1]
        grown = _grown(dh, dlast, a, batch_size, ctx.steps)
        da = torch.empty_like(a)
        run.backward(a.numpy(), h.numpy(), grown.numpy(), da.numpy(), ctx.steps.previous.numpy())
        return da, grown[:, batch_size:], grown[:, :batch_size], None


class _ParallelScan(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, a: Tensor, b: Tensor, initial: Tensor, steps: Steps
    ) -> tuple[Tensor, Tensor]:
        a, b = steps.to_grid(a), steps.to_grid(b)  # (D, T, B, H)
        first = torch.addcmul(b[:, :1], a[:, :1], initial.unsqueeze(1))
        h = _scan(a, torch.cat([first, b[:, 1:]], dim=1))
        ctx.save_for_backward(a, h, initial)
        ctx.steps = steps
        ctx.set_materialize_grads(False)
        rows = steps.from_grid(h)
        return rows, torch.cat([initial, rows], dim=1).index_select(1, steps.last)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dh: Tensor | None, dlast: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the gradient of b is a scan from the last step back:
        ``db_t = dh_t + a_{t+1} db_{t+1}``."""
        a, h, initial = ctx.saved_tensors
        steps: Steps = ctx.steps
        batch_size = initial.shape[1]
        grown = _grown(dh, dlast, steps.from_grid(a), batch_size, steps)
        following = torch.cat([a[:, 1:], torch.zeros_like(a[:, :1])], dim=1)
        db = _scan(following.flip(1), steps.to_grid(grown[:, batch_size:]).flip(1)).flip(1)
        da = db * torch.cat([initial.unsqueeze(1), h[:, :-1]], dim=1)
        dinitial = torch.addcmul(grown[:, :batch_size], a[:, 0], db[:, 0])
        return steps.from_grid(da), steps.from_grid(db), dinitial, None


def _grown(
    dh: Tensor | None, dlast: Tensor | None, like: Tensor, batch_size: int, steps: Steps
) -> Tensor:
    """Return the gradients of the initial states and then of each row, ``(D, B + N, H)``."""
    none = like.new_zeros(len(like), batch_size, like.shape[2])
    grown = torch.cat([none, torch.zeros_like(like) if dh is None else dh], dim=1)
    return grown if dlast is None else grown.index_add_(1, steps.last, dlast)


def _scan(a: Tensor, b: Tensor) -> Tensor:
    """Return all states from zeros on. ``(D, T, ...)`` each to ``(D, T, ...)``."""
    size = a.shape[1]
    if size < 2:
        return b
    odd = slice(1, None, 2)
    before = slice(0, size - 1, 2)  # the neighbour of each odd step
    joined = _scan(a[:, odd] * a[:, before], torch.addcmul(b[:, odd], a[:, odd], b[:, before]))
    h = torch.empty_like(b)
    h[:, odd] = joined
    h[:, 0] = b[:, 0]
    n = (size - 1) // 2
    h[:, 2::2] = torch.addcmul(b[:, 2::2], a[:, 2::2], joined[:, :n])
    return h
