"""The sLSTM (Beck et al. 2024, xLSTM: Extended Long Short-Term Memory, section 2.2)."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnpipe.api import (
    Bidirectional,
    Cell,
    Drop,
    LayerState,
    PositiveInt,
    Recurrent,
    fill_gate_,
    keep,
    register,
)
from rnnpipe_xlstm.heads import HeadwiseDense

#: Less than any logarithm that occurs, and finite, so that differences are numbers.
LOG_0 = -1e30


class SLSTMCell(Cell):
    """The sLSTM (Beck et al. 2024): an LSTM with an exponential input gate, which may outvote all
    that was stored before, and a normaliser.

    ``i_t = exp(i~_t)``, ``f_t = sigma(f~_t)``, ``o_t = sigma(o~_t)``, ``z_t = tanh(z~_t)``,
    each ``x~_t = W x_t + U h_{t-1} + b``, U a matrix a head;
    ``c_t = f_t * c_{t-1} + i_t * z_t``, ``n_t = f_t * n_{t-1} + i_t``,
    ``h_t = o_t * c_t / n_t``. Blocks: i, f, z, o.

    What is kept is ``c / n``, a weighted mean of all z so far, and ``log n``, in place of the
    paper's c, n and stabiliser m: nothing overflows, and the result is the same.

    heads: groups of units, each with recurrent matrices of its own.
    forget_bias: of the forget gate, at first.
    """

    gates = 4
    states = 3

    def setup(self, *, heads: PositiveInt = 1, forget_bias: float = 3.0) -> None:
        super().setup()
        if heads > 1:
            self.hidden = HeadwiseDense(self.width, 4, self.directions, heads, self.norm(4))
        fill_gate_(self.bias, 1, self.width, forget_bias)

    def initial(self, batch_size: int) -> LayerState:
        """Zeros, with no weight: ``log n`` as good as ``log 0``."""
        h, mean, log_n = super().initial(batch_size)
        return h, mean, log_n + LOG_0

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        h, mean, log_n = state
        i, f, z, o = (x + self.hidden(drop(h))).chunk(4, dim=-1)
        log_n = torch.logaddexp(self.log_gate("forget", f) + log_n, i)
        mean = mean + (i - log_n).exp() * (z.tanh() - mean)
        return self.gate("output", o) * mean, mean, log_n


SLSTM = register(Recurrent, "xlstm.SLSTM.v1", SLSTMCell)
BiSLSTM = register(Bidirectional, "xlstm.BiSLSTM.v1", SLSTMCell)
