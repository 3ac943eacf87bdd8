"""One step of a recurrent network: the equations.

See :mod:`rnnpipe.parts.encoders.sequence.cell` for the notation.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor, nn

from rnnpipe.layers.init import fill_gate_
from rnnpipe.parts.encoders.sequence.cell import Cell, Diagonal, Drop, LayerState, keep


class RNNCell(Cell):
    """``h_t = f(W x_t + b + U h_{t-1})`` (Elman 1990, Finding Structure in Time).

    nonlinearity: f, tanh or the rectifier.
    recurrent_init: how U begins: orthogonal, or uniform in ``+- 1 / sqrt(width)`` as in torch,
        which shrinks the state, and gradients, at each step.
    """

    gates = 1
    kernel: ClassVar[str | None] = "rnn"

    def setup(
        self,
        *,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        recurrent_init: Literal["orthogonal", "uniform"] = "orthogonal",
    ) -> None:
        super().setup()
        self.nonlinearity = nonlinearity
        if recurrent_init == "uniform":
            bound = self.width**-0.5
            nn.init.uniform_(self.hidden.weight, -bound, bound)

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        (h,) = state
        a = x + self.hidden(drop(h))
        return (a.tanh() if self.nonlinearity == "tanh" else a.relu(),)


class GRUCell(Cell):
    """Gated recurrent unit as in cuDNN and torch: the reset gate applies after the product, so that
    one product serves all gates::

        r, z = sigma(W x_t + b + U h_{t-1})      the gates reset and update
        n = tanh(W_n x_t + b_n + r * (U_n h_{t-1}))
        h_t = z * h_{t-1} + (1 - z) * n

    Blocks: r, z, n.

    update_bias: of the update gate, at first; 0 keeps half of the state at each step, 4 keeps 98 %.
    """

    gates = 3
    kernel: ClassVar[str | None] = "gru"

    def setup(self, *, update_bias: float = 0.0) -> None:
        super().setup()
        fill_gate_(self.bias, 1, self.width, update_bias)

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        (h,) = state
        (x_r, x_z, x_n), (h_r, h_z, h_n) = x.chunk(3, -1), self.hidden(drop(h)).chunk(3, -1)
        r = self.gate("reset", x_r + h_r)
        z = self.gate("update", x_z + h_z)
        n = (x_n + r * h_n).tanh()
        return (z * h + (1 - z) * n,)


class TextbookGRUCell(Cell):
    """Gated recurrent unit as published: the reset gate applies to the state, before the product
    (Cho et al. 2014, Learning Phrase Representations using RNN Encoder-Decoder)::

        n = tanh(W_n x_t + b_n + U_n (r * h_{t-1}))

    and the rest as in :class:`GRUCell`."""

    gates = 3
    gated = 1

    def setup(self, *, update_bias: float = 0.0) -> None:
        super().setup()
        fill_gate_(self.bias, 1, self.width, update_bias)

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        (h,) = state
        (x_r, x_z, x_n), (h_r, h_z) = x.chunk(3, -1), self.hidden(drop(h)).chunk(2, -1)
        r = self.gate("reset", x_r + h_r)
        z = self.gate("update", x_z + h_z)
        n = (x_n + self.candidate(r * drop(h))).tanh()
        return (z * h + (1 - z) * n,)


def gru_cell(
    n_in: int,
    width: int,
    directions: int = 1,
    layer_norm: bool = False,
    *,
    reset: Literal["before", "after"] = "after",
    update_bias: float = 0.0,
) -> Cell:
    """Gated recurrent unit (Cho et al. 2014, Learning Phrase Representations using RNN
    Encoder-Decoder)::

        r, z = sigma(W x_t + b + U h_{t-1})      the gates reset and update
        n = tanh(W_n x_t + b_n + U_n (r * h_{t-1}))      with reset = "before"
        n = tanh(W_n x_t + b_n + r * (U_n h_{t-1}))      with reset = "after"
        h_t = z * h_{t-1} + (1 - z) * n

    reset: whether the reset gate applies before the product with the recurrent matrix, as
        published, or after it, as in cuDNN and torch.
    update_bias: of the update gate, at first; 0 keeps half of the state at each step, 4 keeps 98 %.
    """
    make = {"before": TextbookGRUCell, "after": GRUCell}[reset]
    return make(n_in, width, directions, layer_norm, update_bias=update_bias)


class MGUCell(Cell):
    """Minimal gated unit: the GRU with one gate for both purposes (Zhou et al. 2016, Minimal Gated
    Unit for Recurrent Neural Networks)::

        f = sigma(W x_t + b + U h_{t-1})
        n = tanh(W_n x_t + b_n + U_n (f * h_{t-1}))
        h_t = (1 - f) * h_{t-1} + f * n

    Blocks: f, n.

    update_bias: minus the bias of the gate, at first; 0 keeps half of the state at each step, 4
        keeps 98 %.
    """

    gates = 2
    gated = 1

    def setup(self, *, update_bias: float = 0.0) -> None:
        super().setup()
        fill_gate_(self.bias, 0, self.width, -update_bias)

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        (h,) = state
        x_f, x_n = x.chunk(2, dim=-1)
        f = self.gate("forget", x_f + self.hidden(drop(h)))
        n = (x_n + self.candidate(f * drop(h))).tanh()
        return ((1 - f) * h + f * n,)


class UGRNNCell(Cell):
    """Update gate RNN: one gate mixes the state and the candidate (Collins et al. 2017, Capacity
    and Trainability in Recurrent Neural Networks)::

        f = sigma(W x_t + b + U h_{t-1}),  n = tanh(W_n x_t + b_n + U_n h_{t-1})
        h_t = f * h_{t-1} + (1 - f) * n

    Blocks: f, n.

    forget_bias: of the gate, at first.
    """

    gates = 2

    def setup(self, *, forget_bias: float = 1.0) -> None:
        super().setup()
        fill_gate_(self.bias, 0, self.width, forget_bias)

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        (h,) = state
        f, n = (x + self.hidden(drop(h))).chunk(2, dim=-1)
        f = self.gate("forget", f)
        return (f * h + (1 - f) * n.tanh(),)


class DiagonalRNNCell(RNNCell):
    """An RNN whose units hear only themselves, ``h_t = f(W x_t + b + u * h_{t-1})``; with the
    rectifier, the IndRNN (Li et al. 2018, Independently Recurrent Neural Network).

    nonlinearity: f, tanh or the rectifier.
    """

    recurrence = Diagonal
    kernel = None

    def setup(  # type: ignore[override]  # a diagonal has no recurrent_init
        self, *, nonlinearity: Literal["tanh", "relu"] = "tanh"
    ) -> None:
        super().setup(nonlinearity=nonlinearity)


class DiagonalGRUCell(GRUCell):
    """A GRU whose units hear only themselves (Subakan and Smaragdis 2017, Diagonal RNNs in Symbolic
    Music Modeling): ``u * h_{t-1}`` for ``U h_{t-1}``. The product being one of each unit alone,
    reset before and after it are the same.

    update_bias: of the update gate, at first; 0 keeps half of the state at each step, 4 keeps 98 %.
    """

    recurrence = Diagonal
    kernel = None
