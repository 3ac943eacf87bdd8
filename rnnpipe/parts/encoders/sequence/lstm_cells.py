"""One step of long short-term memory and of its relatives with fewer or more connections.

See :mod:`rnnpipe.parts.encoders.sequence.cell` for the notation. Greff et al. 2017 (LSTM: A Search
Space Odyssey) compare most of them.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from rnnpipe.layers.init import fill_gate_
from rnnpipe.parts.encoders.sequence.cell import Cell, Diagonal, Drop, LayerState, keep, last_of
from rnnpipe.parts.encoders.sequence.compiled_lstm import lstm_compiles, run_compiled_lstm
from rnnpipe.parts.encoders.sequence.fast_lstm import run_lstm
from rnnpipe.parts.encoders.sequence.steps import Steps


class LSTMCell(Cell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997) with a forget gate (Gers et al.
    2000, Learning to Forget)::

        i, f, o = sigma(W x_t + b + U h_{t-1})      each with weights of its own
        g = tanh(W_g x_t + b_g + U_g h_{t-1})
        c_t = f * c_{t-1} + i * g
        h_t = o * tanh(c_t)

    Blocks: i, f, g, o.

    forget_bias: of the forget gate, at first; there is no second bias to add to it.
    """

    gates = 4
    states = 2
    kernel: ClassVar[str | None] = "lstm"
    #: Which block is the forget gate.
    forget: ClassVar[int] = 1

    def setup(self, *, forget_bias: float = 1.0) -> None:
        super().setup()
        self.out_norm = self.norm(1)
        fill_gate_(self.bias, self.forget, self.width, forget_bias)

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        h, c = state
        i, f, g, o = (x + self.hidden(drop(h))).chunk(4, dim=-1)
        c = self.gate("forget", f) * c + self.gate("input", i) * g.tanh()
        h = self.gate("output", o) * self.out_norm(c).tanh()
        return h, c

    def run(
        self, x: Tensor, initial: LayerState, steps: Steps, mask: Tensor | None = None
    ) -> tuple[Tensor, LayerState]:
        """In a loop that is compiled or written by hand, unless something is normed or dropped."""
        if self.kernel != "lstm" or self.layer_norm or mask is not None:
            return super().run(x, initial, steps, mask)
        run = run_compiled_lstm if lstm_compiles(x, self.bias, *initial) else run_lstm
        return last_of(run(self, x, initial, steps), steps)


class CIFGCell(LSTMCell):
    """Coupled input and forget gate: what is forgotten is what makes room (Greff et al. 2017)::

        f, o = sigma(W x_t + b + U h_{t-1}),  g = tanh(W_g x_t + b_g + U_g h_{t-1})
        c_t = f * c_{t-1} + (1 - f) * g
        h_t = o * tanh(c_t)

    Blocks: f, g, o.

    forget_bias: of the forget gate, at first.
    """

    gates = 3
    kernel = None
    forget = 0

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        h, c = state
        f, g, o = (x + self.hidden(drop(h))).chunk(3, dim=-1)
        f = self.gate("forget", f)
        c = f * c + (1 - f) * g.tanh()
        h = self.gate("output", o) * self.out_norm(c).tanh()
        return h, c


class PeepholeLSTMCell(LSTMCell):
    """The gates see the cell state, the output gate the new one (Gers et al. 2002, Learning Precise
    Timing with LSTM Recurrent Networks)::

        i, f = sigma(W x_t + b + U h_{t-1} + p * c_{t-1}),  g = tanh(W_g x_t + b_g + U_g h_{t-1})
        c_t = f * c_{t-1} + i * g
        o = sigma(W_o x_t + b_o + U_o h_{t-1} + p_o * c_t)
        h_t = o * tanh(c_t)

    Blocks: i, f, g, o; peepholes p of i, f, o, each a vector.

    forget_bias: of the forget gate, at first.
    """

    kernel = None

    def setup(self, *, forget_bias: float = 1.0) -> None:
        super().setup(forget_bias=forget_bias)
        self.peephole = nn.Parameter(torch.zeros(self.directions, 1, 3 * self.width))

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        h, c = state
        i, f, g, o = (x + self.hidden(drop(h))).chunk(4, dim=-1)
        p_i, p_f, p_o = self.peephole.chunk(3, dim=-1)
        i, f = self.gate("input", i + p_i * c), self.gate("forget", f + p_f * c)
        c = f * c + i * g.tanh()
        h = self.gate("output", o + p_o * c) * self.out_norm(c).tanh()
        return h, c


class OriginalLSTMCell(Cell):
    """Without a forget gate, as first published: the cell state only ever adds up (Hochreiter and
    Schmidhuber 1997, Long Short-Term Memory)::

        i, o = sigma(W x_t + b + U h_{t-1}),  g = tanh(W_g x_t + b_g + U_g h_{t-1})
        c_t = c_{t-1} + i * g
        h_t = o * tanh(c_t)

    Blocks: i, g, o."""

    gates = 3
    states = 2

    def setup(self) -> None:
        super().setup()
        self.out_norm = self.norm(1)

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        h, c = state
        i, g, o = (x + self.hidden(drop(h))).chunk(3, dim=-1)
        c = c + self.gate("input", i) * g.tanh()
        h = self.gate("output", o) * self.out_norm(c).tanh()
        return h, c


class DiagonalLSTMCell(LSTMCell):
    """An LSTM whose units hear only themselves (Subakan and Smaragdis 2017, Diagonal RNNs in
    Symbolic Music Modeling): the equations of the LSTM with ``u * h_{t-1}`` for ``U h_{t-1}``.

    forget_bias: of the forget gate, at first.
    """

    recurrence = Diagonal
    kernel = None
