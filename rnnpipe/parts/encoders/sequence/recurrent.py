"""Recurrent encoders that read from the first node to the last, and go on where they stopped."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from rnnpipe.parts.encoders.sequence.cells import (
    DiagonalGRUCell,
    DiagonalRNNCell,
    MGUCell,
    RNNCell,
    UGRNNCell,
    gru_cell,
)
from rnnpipe.parts.encoders.sequence.lstm_cells import (
    CIFGCell,
    DiagonalLSTMCell,
    LSTMCell,
    OriginalLSTMCell,
    PeepholeLSTMCell,
)
from rnnpipe.parts.encoders.sequence.registration import register
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
        """The state whose row i is the given state's row ``rows[i]``."""
        return tuple(tuple(s.index_select(0, rows) for s in layer) for layer in state)


def _directed(state: StackState) -> StackState:
    """With an axis of one direction, as :meth:`RecurrentStack.run` wants it."""
    return tuple(tuple(s.unsqueeze(0) for s in layer) for layer in state)


def _undirected(state: StackState) -> StackState:
    return tuple(tuple(s.squeeze(0) for s in layer) for layer in state)


RNN = register(Recurrent, "rnnpipe.RNN.v1", RNNCell)
GRU = register(Recurrent, "rnnpipe.GRU.v1", gru_cell)
MGU = register(Recurrent, "rnnpipe.MGU.v1", MGUCell)
UGRNN = register(Recurrent, "rnnpipe.UGRNN.v1", UGRNNCell)
LSTM = register(Recurrent, "rnnpipe.LSTM.v1", LSTMCell)
OriginalLSTM = register(Recurrent, "rnnpipe.OriginalLSTM.v1", OriginalLSTMCell)
CIFG = register(Recurrent, "rnnpipe.CIFG.v1", CIFGCell)
PeepholeLSTM = register(Recurrent, "rnnpipe.PeepholeLSTM.v1", PeepholeLSTMCell)
DiagonalRNN = register(Recurrent, "rnnpipe.DiagonalRNN.v1", DiagonalRNNCell)
DiagonalGRU = register(Recurrent, "rnnpipe.DiagonalGRU.v1", DiagonalGRUCell)
DiagonalLSTM = register(Recurrent, "rnnpipe.DiagonalLSTM.v1", DiagonalLSTMCell)
