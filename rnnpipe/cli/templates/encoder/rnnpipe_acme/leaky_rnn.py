"""``acme.LeakyRNN.v1``: a recurrent network whose units change slowly."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnpipe.api import Cell, Drop, LayerState, PositiveShare, Recurrent, keep, register


class LeakyRNNCell(Cell):
    """``h_t = (1 - a) h_{t-1} + a tanh(W x_t + b + U h_{t-1})`` (Jaeger et al. 2007, Optimization
    and Applications of Echo State Networks with Leaky-Integrator Neurons).

    leak: a, the share of each unit that is replaced per step.
    """

    gates = 1

    def setup(self, *, leak: PositiveShare = 0.5) -> None:
        super().setup()
        self.leak = leak

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        (h,) = state
        new = (x + self.hidden(drop(h))).tanh()
        return (torch.lerp(h, new, self.leak),)


# For both directions: register(Bidirectional, "acme.BiLeakyRNN.v1", LeakyRNNCell), and its entry
# point.
LeakyRNN = register(Recurrent, "acme.LeakyRNN.v1", LeakyRNNCell)
