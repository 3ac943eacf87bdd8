"""One step of a recurrent network: the equations.

A cell is given the input's share of its gates, ``x = W x_t + b``, computed for all steps at once
(:meth:`Cell.project`), and the state before the step; ``h``, the visible state, comes first. Every
tensor is ``(directions, n, ...)`` for n rows: the two halves of a bidirectional layer are computed
side by side, each with weights of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from rnnpipe.dropout import Dropout
from rnnpipe.init import fill_gate_, orthogonal_blocks_, uniform_blocks_

#: The state of one layer: tensors ``(directions, n, width)``, ``h`` first.
LayerState = tuple[Tensor, ...]
#: Dropout of the recurrent connection: h as the recurrent matrices are given it.
Drop = Callable[[Tensor], Tensor]


def keep(h: Tensor) -> Tensor:
    return h


class Norm(nn.Module):
    """Layer normalisation (Ba et al. 2016) with a gain for each direction; no bias of its own."""

    def __init__(self, size: int, directions: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(directions, 1, size))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.layer_norm(x, x.shape[-1:]).to(x.dtype) * self.gain


class Recurrence(nn.Module):
    """What the recurrent matrices of several gates do to the state."""

    def __init__(self, norm: nn.Module, weight: Tensor) -> None:
        super().__init__()
        self.norm = norm
        self.weight = nn.Parameter(weight)
        self._dropped: Tensor | None = None

    @property
    def matrix(self) -> Tensor:
        """The weights, less those that are dropped at the moment."""
        return self.weight if self._dropped is None else self._dropped

    @contextmanager
    def dropped(self, dropout: Dropout) -> Iterator[None]:
        """Single weights dropped, the same ones at all steps and in all documents (DropConnect,
        Wan et al. 2013; of recurrent weights: Merity et al. 2017, Regularizing and Optimizing LSTM
        Language Models)."""
        kept = dropout(self.weight)
        # A parameter that is set as an attribute would be registered once more.
        self._dropped = None if kept is self.weight else kept
        try:
            yield
        finally:
            self._dropped = None


class Dense(Recurrence):
    """``U h`` for several gates, ``(directions, n, width) -> (directions, n, gates * width)``; each
    block of U begins orthogonal."""

    def __init__(self, width: int, gates: int, directions: int, norm: nn.Module) -> None:
        super().__init__(norm, torch.empty(directions, width, gates * width))
        orthogonal_blocks_(self.weight)

    def forward(self, h: Tensor) -> Tensor:
        normed: Tensor = self.norm(torch.bmm(h, self.matrix).to(h.dtype))
        return normed


class Diagonal(Recurrence):
    """``u * h`` for several gates: a unit hears only itself (Subakan and Smaragdis 2017, Diagonal
    RNNs; Li et al. 2018, Independently RNN). Shapes as in :class:`Dense`; begins with ``|u| <= 1``,
    where nothing can explode."""

    def __init__(self, width: int, gates: int, directions: int, norm: nn.Module) -> None:
        super().__init__(norm, torch.empty(directions, 1, gates * width).uniform_(-1, 1))
        self.gates = gates

    def forward(self, h: Tensor) -> Tensor:
        normed: Tensor = self.norm(h.repeat(1, 1, self.gates) * self.matrix)
        return normed


class Cell(nn.Module, ABC):
    """What the cells below share: weights, and what they are told.

    n_in, width: of the input and of each state.
    directions: how many such cells compute side by side.
    layer_norm: normalise ``W x``, ``U h`` and, where there is one, the cell state on its way out
        (Ba et al. 2016, Layer Normalization).
    """

    #: Blocks of ``input_weight`` and ``bias``, in the order of the equation.
    gates: ClassVar[int]
    #: How many of them, the last ones, see the state through another gate.
    gated: ClassVar[int] = 0
    #: How many tensors the state has.
    states: ClassVar[int] = 1
    recurrence: ClassVar[type[Dense | Diagonal]] = Dense
    #: Which of the kernels of torch computes the same, if any: "rnn", "gru" or "lstm".
    kernel: ClassVar[str | None] = None
    #: The recurrent connection of the gates that see the bare state, and that of the others.
    hidden: Dense | Diagonal
    candidate: Dense | Diagonal

    def __init__(
        self, n_in: int, width: int, directions: int = 1, layer_norm: bool = False
    ) -> None:
        super().__init__()
        self.width = width
        self.directions = directions
        self.layer_norm = layer_norm
        size = self.gates * width
        self.input_weight = nn.Parameter(torch.empty(directions, n_in, size))
        self.bias = nn.Parameter(torch.zeros(directions, 1, size))
        self.input_norm = self.norm(self.gates)
        uniform_blocks_(self.input_weight, width)
        self.hidden = self.recurrent(self.gates - self.gated)
        if self.gated:
            self.candidate = self.recurrent(self.gated)

    def norm(self, blocks: int) -> nn.Module:
        return Norm(blocks * self.width, self.directions) if self.layer_norm else nn.Identity()

    def recurrent(self, gates: int) -> Dense | Diagonal:
        """The recurrent connection of some gates."""
        return self.recurrence(self.width, gates, self.directions, self.norm(gates))

    def dropped(self, dropout: Dropout) -> AbstractContextManager[object]:
        """Some recurrent weights dropped for a while; see :meth:`Recurrence.dropped`."""
        stack = ExitStack()
        for part in self.children():
            if isinstance(part, Recurrence):
                stack.enter_context(part.dropped(dropout))
        return stack

    def project(self, x: Tensor) -> Tensor:
        """``W x + b`` for any number of steps. ``(D, n, n_in) -> (D, n, gates * width)``."""
        if not self.layer_norm:
            return torch.baddbmm(self.bias, x, self.input_weight).to(self.bias.dtype)
        product = torch.bmm(x, self.input_weight).to(self.bias.dtype)
        normed: Tensor = self.input_norm(product)
        return normed + self.bias

    @abstractmethod
    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        """The state after a step. x: ``(D, n, gates * width)``, projected."""


class RNNCell(Cell):
    """``h_t = f(W x_t + b + U h_{t-1})`` (Elman 1990, Finding Structure in Time).

    nonlinearity: f, tanh or the rectifier.
    """

    gates = 1
    kernel: ClassVar[str | None] = "rnn"

    def __init__(
        self,
        n_in: int,
        width: int,
        directions: int = 1,
        layer_norm: bool = False,
        *,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
    ) -> None:
        super().__init__(n_in, width, directions, layer_norm)
        self.nonlinearity = nonlinearity

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

    Blocks: r, z, n."""

    gates = 3
    kernel: ClassVar[str | None] = "gru"

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        (h,) = state
        (x_r, x_z, x_n), (h_r, h_z, h_n) = x.chunk(3, -1), self.hidden(drop(h)).chunk(3, -1)
        r = (x_r + h_r).sigmoid()
        z = (x_z + h_z).sigmoid()
        n = (x_n + r * h_n).tanh()
        return (z * h + (1 - z) * n,)


class TextbookGRUCell(Cell):
    """Gated recurrent unit as published: the reset gate applies to the state, before the product
    (Cho et al. 2014, Learning Phrase Representations using RNN Encoder-Decoder)::

        n = tanh(W_n x_t + b_n + U_n (r * h_{t-1}))

    and the rest as in :class:`GRUCell`."""

    gates = 3
    gated = 1

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        (h,) = state
        (x_r, x_z, x_n), (h_r, h_z) = x.chunk(3, -1), self.hidden(drop(h)).chunk(2, -1)
        r = (x_r + h_r).sigmoid()
        z = (x_z + h_z).sigmoid()
        n = (x_n + self.candidate(r * drop(h))).tanh()
        return (z * h + (1 - z) * n,)


def gru_cell(
    n_in: int,
    width: int,
    directions: int = 1,
    layer_norm: bool = False,
    *,
    reset: Literal["before", "after"] = "after",
) -> Cell:
    """Gated recurrent unit (Cho et al. 2014, Learning Phrase Representations using RNN
    Encoder-Decoder)::

        r, z = sigma(W x_t + b + U h_{t-1})      the gates reset and update
        n = tanh(W_n x_t + b_n + U_n (r * h_{t-1}))      with reset = "before"
        n = tanh(W_n x_t + b_n + r * (U_n h_{t-1}))      with reset = "after"
        h_t = z * h_{t-1} + (1 - z) * n

    reset: whether the reset gate applies before the product with the recurrent matrix, as
        published, or after it, as in cuDNN and torch.
    """
    make = {"before": TextbookGRUCell, "after": GRUCell}[reset]
    return make(n_in, width, directions, layer_norm)


class MGUCell(Cell):
    """Minimal gated unit: the GRU with one gate for both purposes (Zhou et al. 2016, Minimal Gated
    Unit for Recurrent Neural Networks)::

        f = sigma(W x_t + b + U h_{t-1})
        n = tanh(W_n x_t + b_n + U_n (f * h_{t-1}))
        h_t = (1 - f) * h_{t-1} + f * n

    Blocks: f, n."""

    gates = 2
    gated = 1

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        (h,) = state
        x_f, x_n = x.chunk(2, dim=-1)
        f = (x_f + self.hidden(drop(h))).sigmoid()
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

    def __init__(
        self,
        n_in: int,
        width: int,
        directions: int = 1,
        layer_norm: bool = False,
        *,
        forget_bias: float = 1.0,
    ) -> None:
        super().__init__(n_in, width, directions, layer_norm)
        fill_gate_(self.bias, 0, width, forget_bias)

    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        (h,) = state
        f, n = (x + self.hidden(drop(h))).chunk(2, dim=-1)
        f = f.sigmoid()
        return (f * h + (1 - f) * n.tanh(),)


class DiagonalRNNCell(RNNCell):
    """An RNN whose units hear only themselves, ``h_t = f(W x_t + b + u * h_{t-1})``; with the
    rectifier, the IndRNN (Li et al. 2018, Independently Recurrent Neural Network)."""

    recurrence = Diagonal
    kernel = None


class DiagonalGRUCell(GRUCell):
    """A GRU whose units hear only themselves (Subakan and Smaragdis 2017, Diagonal RNNs in Symbolic
    Music Modeling): ``u * h_{t-1}`` for ``U h_{t-1}``. The product being one of each unit alone,
    reset before and after it are the same."""

    recurrence = Diagonal
    kernel = None
