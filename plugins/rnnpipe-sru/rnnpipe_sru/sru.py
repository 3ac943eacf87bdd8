"""The simple recurrent unit (Lei et al. 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnpipe.api import Bidirectional, Cell, Drop, LayerState, Recurrent, fill_gate_, keep, register


class SRUCell(Cell):
    """The simple recurrent unit (Lei et al. 2018, Simple Recurrent Units for Highly Parallelizable
    Recurrence): the gates see the cell state unit by unit, and a highway leads around it.

    ``f_t = sigma(W_f x_t + v_f * c_{t-1} + b_f)``, ``r_t = sigma(W_r x_t + v_r * c_{t-1} + b_r)``,
    ``c_t = f_t * c_{t-1} + (1 - f_t) * W x_t``, ``h_t = r_t * c_t + (1 - r_t) * W_s x_t``.
    Blocks: the gates f and r, the candidate, the highway. W_s is learned whether or not the input
    is as wide as the state, as the authors have it where it is not.

    forget_bias: of the forget gate, at first.
    highway_bias: of r, at first; below 0, most of the input passes by.
    """

    gates = 4
    states = 2
    recurrence = None

    def setup(self, *, forget_bias: float = 1.0, highway_bias: float = -2.0) -> None:
        super().setup()
        fill_gate_(self.bias, 0, self.width, forget_bias)
        fill_gate_(self.bias, 1, self.width, highway_bias)
        self.peephole = nn.Parameter(
            torch.empty(self.directions, 1, 2 * self.width).uniform_(-1, 1)
        )

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        _, c = state
        gates, candidate, highway = torch.split(x, [2 * self.width, self.width, self.width], dim=-1)
        f, r = (gates + self.peephole * c.repeat(1, 1, 2)).chunk(2, dim=-1)
        f, r = self.gate("forget", f), self.gate("reset", r)
        c = f * c + (1 - f) * candidate
        return r * c + (1 - r) * highway, c


SRU = register(Recurrent, "sru.SRU.v1", SRUCell)
BiSRU = register(Bidirectional, "sru.BiSRU.v1", SRUCell)
