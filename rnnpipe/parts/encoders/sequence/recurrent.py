"""Recurrent encoders that read from the first node to the last, and go on where they stopped."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from rnnpipe.contracts.registry import encoders
from rnnpipe.parts.encoders.sequence import cells, lstm_cells
from rnnpipe.parts.encoders.sequence.settings import (
    RecurrentSettings,
    WithForgetBias,
    WithNonlinearity,
    WithRecurrentInit,
    WithReset,
    WithUpdateBias,
)
from rnnpipe.parts.encoders.sequence.stack import RecurrentStack
from rnnpipe.structures import Encoded, Sequences, State

#: Each layer's state, the lowest first: tensors ``(B, ...)``, ``h`` first, ``(B, width)``.
StackState = tuple[tuple[Tensor, ...], ...]


class Recurrent(RecurrentStack):
    """State i depends on nodes up to i. It is an encoder, a
    :class:`~rnnpipe.contracts.types.Stepper` and
    :class:`~rnnpipe.contracts.types.Layered`; the state of all is a :data:`StackState`."""

    causal = True
    directions = 1

    def forward(self, inputs: Tensor, structure: Sequences, state: State | None = None) -> Encoded:
        """``(B, T, n_in)`` to states ``(B, T, width)`` and the state after each document's last
        node. state: where to begin; ``None``: :meth:`start`."""
        before = self.start(structure.batch_size) if state is None else cast(StackState, state)
        (states,), after = self.run(inputs, structure, _directed(before))
        return Encoded(states, structure, self.n_out, _undirected(after))

    def encode_layers(
        self, inputs: Tensor, structure: Sequences, state: State | None = None
    ) -> list[Encoded]:
        """As :meth:`forward`, for each layer, the lowest first: see
        :class:`rnnpipe.contracts.types.Layered`."""
        before = self.start(structure.batch_size) if state is None else cast(StackState, state)
        layers, after = self.run(inputs, structure, _directed(before), lowest=0)
        final = _undirected(after)
        return [Encoded(states, structure, self.n_out, final) for states in layers]

    def start(self, batch_size: int) -> StackState:
        """Zeros."""
        return _undirected(self.initial(batch_size))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, StackState]:
        """One node, ``(B, n_in)`` to ``(B, width)``, as :meth:`forward` in evaluation mode:
        without dropout."""
        below, after = x, []
        for number, (cell, before) in enumerate(zip(self.layers, state, strict=True)):
            fed = torch.cat([below, x], dim=-1) if self.skip and number else below
            projected = cell.project(fed.unsqueeze(0))
            now = cell.step(projected, tuple(s.unsqueeze(0) for s in before))
            after.append(tuple(s.squeeze(0) for s in now))
            below = below + after[-1][0] if self.residual and number else after[-1][0]
        return below, tuple(after)

    def reorder(self, state: State, rows: Tensor) -> StackState:
        """Return the state whose row i is the given state's row ``rows[i]``."""
        return tuple(tuple(s.index_select(0, rows) for s in layer) for layer in state)


def _directed(state: StackState) -> StackState:
    """With an axis of one direction, as :meth:`RecurrentStack.run` wants it."""
    return tuple(tuple(s.unsqueeze(0) for s in layer) for layer in state)


def _undirected(state: StackState) -> StackState:
    return tuple(tuple(s.squeeze(0) for s in layer) for layer in state)


class ForwardSettings(RecurrentSettings):
    def __call__(self, n_in: int) -> Recurrent:
        return Recurrent(n_in, self, self.make_cell)


@encoders("rnnpipe.RNN.v1")
class RNN(WithRecurrentInit, ForwardSettings):
    cell = cells.RNNCell


@encoders("rnnpipe.GRU.v1")
class GRU(WithReset, ForwardSettings):
    cell = cells.gru_cell


@encoders("rnnpipe.MGU.v1")
class MGU(WithUpdateBias, ForwardSettings):
    cell = cells.MGUCell


@encoders("rnnpipe.UGRNN.v1")
class UGRNN(WithForgetBias, ForwardSettings):
    cell = cells.UGRNNCell


@encoders("rnnpipe.LSTM.v1")
class LSTM(WithForgetBias, ForwardSettings):
    cell = lstm_cells.LSTMCell


@encoders("rnnpipe.OriginalLSTM.v1")
class OriginalLSTM(ForwardSettings):
    cell = lstm_cells.OriginalLSTMCell


@encoders("rnnpipe.CIFG.v1")
class CIFG(WithForgetBias, ForwardSettings):
    cell = lstm_cells.CIFGCell


@encoders("rnnpipe.PeepholeLSTM.v1")
class PeepholeLSTM(WithForgetBias, ForwardSettings):
    cell = lstm_cells.PeepholeLSTMCell


@encoders("rnnpipe.DiagonalRNN.v1")
class DiagonalRNN(WithNonlinearity, ForwardSettings):
    cell = cells.DiagonalRNNCell


@encoders("rnnpipe.DiagonalGRU.v1")
class DiagonalGRU(WithUpdateBias, ForwardSettings):
    cell = cells.DiagonalGRUCell


@encoders("rnnpipe.DiagonalLSTM.v1")
class DiagonalLSTM(WithForgetBias, ForwardSettings):
    cell = lstm_cells.DiagonalLSTMCell
