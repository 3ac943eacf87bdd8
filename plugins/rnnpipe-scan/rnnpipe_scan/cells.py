"""One step of minGRU and minLSTM (Feng et al. 2024, Were RNNs All We Needed?).

Their gates do not see the state, so that a step is ``h_t = a_t * h_{t-1} + b_t``, where a and b are
known for all steps at once. The candidate is linear in the input, as in section 3 of the paper.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional as F

from rnnpipe.api import Cell, Drop, LayerState, Steps, fill_gate_, keep, linear_scan


class ScanCell(Cell):
    """``h_t = a_t * h_{t-1} + b_t``, unit by unit."""

    recurrence = None

    @abstractmethod
    def coefficients(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """A and b, ``(D, n, width)`` each, of projected inputs ``(D, n, gates * width)``."""

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        (h,) = state
        a, b = self.coefficients(x)
        return (a * h + b,)

    def run(
        self, x: Tensor, initial: LayerState, steps: Steps, mask: Tensor | None = None
    ) -> tuple[Tensor, LayerState]:
        h, last = linear_scan(*self.coefficients(self.project(x)), initial[0], steps)
        return h, (last,)


class MinGRUCell(ScanCell):
    """A GRU without a reset gate whose update gate sees the input only:
    ``h_t = f_t * h_{t-1} + (1 - f_t) * n_t``, ``f_t = sigma(W_f x_t + b_f)``,
    ``n_t = W_n x_t + b_n`` (Feng et al. 2024, whose update gate is 1 - f). Blocks: the gate f, the
    candidate n.

    forget_bias: of the gate, at first; above 0, states change slowly.
    """

    gates = 2

    def setup(self, *, forget_bias: float = 0.0) -> None:
        super().setup()
        fill_gate_(self.bias, 0, self.width, forget_bias)

    def coefficients(self, x: Tensor) -> tuple[Tensor, Tensor]:
        f, n = x.chunk(2, dim=-1)
        f = self.gate("forget", f)
        return f, torch.addcmul(n, f, n, value=-1)


class MinLSTMCell(ScanCell):
    """An LSTM without an output gate whose gates see the input only, and add up to 1:
    ``h_t = f'_t * h_{t-1} + i'_t * n_t``, ``f' = f / (f + i)``, ``i' = i / (f + i)``,
    ``f_t = sigma(W_f x_t + b_f)``, ``i_t = sigma(W_i x_t + b_i)``, ``n_t = W_n x_t + b_n``
    (Feng et al. 2024). Blocks: the gates f and i, the candidate n.

    forget_bias: of the forget gate, at first.
    """

    gates = 3

    def setup(self, *, forget_bias: float = 1.0) -> None:
        super().setup()
        fill_gate_(self.bias, 0, self.width, forget_bias)

    def coefficients(self, x: Tensor) -> tuple[Tensor, Tensor]:
        f, i, n = x.chunk(3, dim=-1)
        # f / (f + i) = sigma(log f - log i), which divides by nothing.
        share = self.gate("forget", F.logsigmoid(f) - F.logsigmoid(i))
        return share, torch.addcmul(n, share, n, value=-1)
