"""Recurrent encoders of two halves: from the first node on, and from the last node back."""

from __future__ import annotations

from torch import Tensor

from rnnpipe.errors import StructureError, expected
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
                    "no state, since its backward half begins at the end of a document",
                    type(state).__name__,
                    "Use a causal encoder, such as rnnpipe.LSTM.v1, to go on from a state.",
                )
            )
        (states,), _ = self.run(inputs, structure, self.initial(structure.batch_size))
        return Encoded(states, structure, self.n_out // 2)


BiRNN = register(Bidirectional, "rnnpipe.BiRNN.v1", RNNCell)
BiGRU = register(Bidirectional, "rnnpipe.BiGRU.v1", gru_cell)
BiMGU = register(Bidirectional, "rnnpipe.BiMGU.v1", MGUCell)
BiUGRNN = register(Bidirectional, "rnnpipe.BiUGRNN.v1", UGRNNCell)
BiLSTM = register(Bidirectional, "rnnpipe.BiLSTM.v1", LSTMCell)
BiOriginalLSTM = register(Bidirectional, "rnnpipe.BiOriginalLSTM.v1", OriginalLSTMCell)
BiCIFG = register(Bidirectional, "rnnpipe.BiCIFG.v1", CIFGCell)
BiPeepholeLSTM = register(Bidirectional, "rnnpipe.BiPeepholeLSTM.v1", PeepholeLSTMCell)
BiDiagonalRNN = register(Bidirectional, "rnnpipe.BiDiagonalRNN.v1", DiagonalRNNCell)
BiDiagonalGRU = register(Bidirectional, "rnnpipe.BiDiagonalGRU.v1", DiagonalGRUCell)
BiDiagonalLSTM = register(Bidirectional, "rnnpipe.BiDiagonalLSTM.v1", DiagonalLSTMCell)
