"""Recurrent encoders of two halves: from the first node on, and from the last node back."""

from __future__ import annotations

from torch import Tensor

from rnnpipe.contracts.registry import encoders
from rnnpipe.errors import StructureError, expected
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


class Bidirectional(RecurrentStack):
    """Each layer joins the states of both halves (Schuster and Paliwal 1997; Graves and Schmidhuber
    2005), so each state depends on the whole document and on nothing else."""

    causal = False
    directions = 2

    def forward(self, inputs: Tensor, structure: Sequences, state: State | None = None) -> Encoded:
        """``(B, T, n_in)`` to states ``(B, T, 2 * width)``, the forward half first.

        Raises StructureError if it is told to go on from a state."""
        if state is not None:
            raise StructureError(
                expected(
                    f"{type(self).__name__} encoder",
                    "no state, since its backward half starts at the end of a document",
                    type(state).__name__,
                    "Use a causal encoder, such as rnnpipe.LSTM.v1, to continue from a state.",
                )
            )
        (states,), _ = self.run(inputs, structure, self.initial(structure.batch_size))
        return Encoded(states, structure, self.n_out // 2)


class BidirectionalSettings(RecurrentSettings):
    def __call__(self, n_in: int) -> Bidirectional:
        return Bidirectional(n_in, self, self.make_cell)


@encoders("rnnpipe.BiRNN.v1")
class BiRNN(WithRecurrentInit, BidirectionalSettings):
    cell = cells.RNNCell


@encoders("rnnpipe.BiGRU.v1")
class BiGRU(WithReset, BidirectionalSettings):
    cell = cells.gru_cell


@encoders("rnnpipe.BiMGU.v1")
class BiMGU(WithUpdateBias, BidirectionalSettings):
    cell = cells.MGUCell


@encoders("rnnpipe.BiUGRNN.v1")
class BiUGRNN(WithForgetBias, BidirectionalSettings):
    cell = cells.UGRNNCell


@encoders("rnnpipe.BiLSTM.v1")
class BiLSTM(WithForgetBias, BidirectionalSettings):
    cell = lstm_cells.LSTMCell


@encoders("rnnpipe.BiOriginalLSTM.v1")
class BiOriginalLSTM(BidirectionalSettings):
    cell = lstm_cells.OriginalLSTMCell


@encoders("rnnpipe.BiCIFG.v1")
class BiCIFG(WithForgetBias, BidirectionalSettings):
    cell = lstm_cells.CIFGCell


@encoders("rnnpipe.BiPeepholeLSTM.v1")
class BiPeepholeLSTM(WithForgetBias, BidirectionalSettings):
    cell = lstm_cells.PeepholeLSTMCell


@encoders("rnnpipe.BiDiagonalRNN.v1")
class BiDiagonalRNN(WithNonlinearity, BidirectionalSettings):
    cell = cells.DiagonalRNNCell


@encoders("rnnpipe.BiDiagonalGRU.v1")
class BiDiagonalGRU(WithUpdateBias, BidirectionalSettings):
    cell = cells.DiagonalGRUCell


@encoders("rnnpipe.BiDiagonalLSTM.v1")
class BiDiagonalLSTM(WithForgetBias, BidirectionalSettings):
    cell = lstm_cells.DiagonalLSTMCell
