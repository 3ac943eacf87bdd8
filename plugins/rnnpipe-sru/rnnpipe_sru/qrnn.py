"""The quasi-recurrent network (Bradbury et al. 2016)."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from rnnpipe.api import (
    Bidirectional,
    Cell,
    Drop,
    LayerState,
    Recurrent,
    Steps,
    fill_gate_,
    keep,
    linear_scan,
    register,
)

Window = Annotated[int, Field(ge=1, le=8, strict=True)]


class QRNNCell(Cell):
    """The quasi-recurrent network with fo-pooling (Bradbury et al. 2016, Quasi-Recurrent Neural
    Networks): the gates see the last nodes of the input instead of the state.

    ``z_t = tanh(sum_j (W_zj x_{t-j} + b_zj))``, ``f_t`` and ``o_t`` likewise with sigma,
    ``c_t = f_t * c_{t-1} + (1 - f_t) * z_t``, ``h_t = o_t * c_t``, j from 0 to ``window - 1``.
    Blocks, for each j: f, z, o. What a node adds to the gates of those after it is part of the
    state, so that a step needs no earlier input.

    window: how many nodes the gates see, their own among them.
    forget_bias: of the forget gate, at first.
    """

    recurrence = None

    def setup(self, *, window: Window = 2, forget_bias: float = 1.0) -> None:
        self.gates = 3 * window
        super().setup()
        self.window = window
        fill_gate_(self.bias, 0, self.width, forget_bias)

    def initial(self, batch_size: int) -> LayerState:
        """H and c, and what earlier nodes add to the gates of the first, the second, ... node:
        ``(D, B, window - 1, 3 * width)``."""
        h = self.bias.new_zeros(self.directions, batch_size, self.width)
        return h, h, h.new_zeros(*h.shape[:2], self.window - 1, 3 * self.width)

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        _, c, added = state
        shares = torch.unflatten(x, 2, (self.window, 3 * self.width))
        following = shares.clone()
        following[:, :, :-1] += added
        f, z, o = self._activate(following[:, :, 0])
        c = f * c + (1 - f) * z
        return o * c, c, following[:, :, 1:]

    def _activate(self, gates: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        f, z, o = gates.chunk(3, dim=-1)
        return self.gate("forget", f), z.tanh(), self.gate("output", o)

    def run(
        self, x: Tensor, initial: LayerState, steps: Steps, mask: Tensor | None = None
    ) -> tuple[Tensor, LayerState]:
        """Gates for all nodes at once, then one scan."""
        h0, c0, added = initial
        gates, left = self._convolve(self.project(x), added, steps)
        f, z, o = self._activate(gates)
        c, last = linear_scan(f, torch.addcmul(z, f, z, value=-1), c0, steps)
        h = o * c
        return h, (torch.cat([h0, h], dim=1).index_select(1, steps.last), last, left)

    def _convolve(self, x: Tensor, added: Tensor, steps: Steps) -> tuple[Tensor, Tensor]:
        """The gates ``(D, N, 3 * width)``, and what each document's last nodes add to those after
        them, ``(D, B, window - 1, 3 * width)``."""
        own, *later = torch.unflatten(x, 2, (self.window, 3 * self.width)).unbind(2)
        before: Tensor | None = None  # what the nodes before a row add to the j-th node from it on
        left = []
        for share, begin in zip(reversed(later), reversed(added.unbind(2)), strict=True):
            total = share if before is None else share + before
            history = torch.cat([begin, total], dim=1)
            left.append(history.index_select(1, steps.last))
            before = history.index_select(1, steps.previous)
        stacked = torch.stack(left[::-1], dim=2) if left else added
        return own if before is None else own + before, stacked


QRNN = register(Recurrent, "sru.QRNN.v1", QRNNCell)
BiQRNN = register(Bidirectional, "sru.BiQRNN.v1", QRNNCell)
