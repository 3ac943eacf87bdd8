"""The mLSTM (Beck et al. 2024, xLSTM: Extended Long Short-Term Memory, section 2.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnpipe.api import (
    Bidirectional,
    Cell,
    Drop,
    LayerState,
    PositiveInt,
    Recurrent,
    Steps,
    keep,
    register,
)
from rnnpipe_xlstm.heads import head_width
from rnnpipe_xlstm.matrix_memory import Memory, read, read_and_write


class MLSTMCell(Cell):
    """The mLSTM (Beck et al. 2024): what is stored is a matrix, written to by keys and read by
    queries; the gates do not see the state.

    ``C_t = f_t C_{t-1} + i_t v_t k_t^T``, ``n_t = f_t n_{t-1} + i_t k_t``,
    ``h_t = o_t * C_t q_t / max(|n_t . q_t|, 1)``, of each head;
    ``q, k, v, o~ = W x_t + b``, ``k`` divided by the root of its width, ``o_t = sigma(o~_t)``;
    ``i_t = exp(w_i . x_t + b_i)``, ``f_t = sigma(w_f . x_t + b_f)``, a number a head.
    Blocks: q, k, v, o.

    heads: how many memories, each ``width / heads`` wide and high.
    forget_bias: of the forget gates, at first.
    """

    gates = 4
    recurrence = None

    def setup(self, *, heads: PositiveInt = 1, forget_bias: float = 3.0) -> None:
        super().setup()
        self.heads = heads
        self.head_width = head_width(self.width, heads)
        self.gate_weight = nn.Parameter(torch.zeros(self.directions, self.n_in, 2 * heads))
        self.gate_bias = nn.Parameter(torch.zeros(self.directions, 1, 2 * heads))
        with torch.no_grad():
            self.gate_bias[..., heads:] = forget_bias

    def initial(self, batch_size: int) -> LayerState:
        """h, and of each head C, n and m, the logarithm that both are divided by the exponential
        of: ``(D, B, heads, e, e)``, ``(D, B, heads, e)``, ``(D, B, heads)``."""
        (h,) = super().initial(batch_size)
        shape = (*h.shape[:2], self.heads)
        n = h.new_zeros(*shape, self.head_width)
        return h, h.new_zeros(*n.shape, self.head_width), n, h.new_zeros(shape)

    def project(self, x: Tensor) -> Tensor:
        """q, k, v, o, i and f, ``(D, n, 4 * width + 2 * heads)``."""
        gates = torch.baddbmm(self.gate_bias, x, self.gate_weight).to(self.bias.dtype)
        return torch.cat([super().project(x), gates], dim=-1)

    def _parts(self, x: Tensor) -> tuple[Tensor, ...]:
        """q, k, v ``(..., heads, e)``; the logarithms of i and f ``(..., heads)``; o."""
        q, k, v, o, i, f = torch.split(x, [self.width] * 4 + [self.heads] * 2, dim=-1)
        q, k, v = (torch.unflatten(part, -1, (self.heads, self.head_width)) for part in (q, k, v))
        log_f, o = self.log_gate("forget", f), self.gate("output", o)
        return q, k / self.head_width**0.5, v, i, log_f, o

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        q, k, v, log_i, log_f, o = self._parts(x)
        memory = Memory(*state[1:]).written(k, v, log_i, log_f)
        h = o * read(memory, q).flatten(-2)
        return (h, *memory)

    def run(
        self, x: Tensor, initial: LayerState, steps: Steps, mask: Tensor | None = None
    ) -> tuple[Tensor, LayerState]:
        """A chunk of nodes at once, which see each other as in attention, and what was before them
        through the memory."""
        h0, *memory = initial
        q, k, v, log_i, log_f, o = self._parts(self.project(x))
        present = torch.arange(len(steps.sizes), device=x.device).unsqueeze(1) < steps.lengths
        q, k, v, log_i, log_f = map(steps.to_grid, (q, k, v, log_i, log_f))
        states, after = read_and_write(Memory(*memory), q, k, v, log_i, log_f, present)
        h = o * steps.from_grid(states).flatten(-2)  # (D, N, width)
        last = torch.cat([h0, h], dim=1).index_select(1, steps.last)
        by_document = steps.order.argsort()
        return h, (last, *(part.index_select(1, by_document) for part in after))


MLSTM = register(Recurrent, "xlstm.MLSTM.v1", MLSTMCell)
BiMLSTM = register(Bidirectional, "xlstm.BiMLSTM.v1", MLSTMCell)
