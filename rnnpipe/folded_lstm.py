"""Layers of LSTM between an embedding and a softmax, folded for one step at a time on a CPU.

The product of every embedding with the first layer's input weights is computed once, so that a
symbol selects a row of a table; a layer above is one product with the state below and its own. And
``tanh(a) = 2 sigma(2 a) - 1``: with the candidate's weights doubled, all gates are one sigma.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rnnpipe.encoders.lstm_cells import LSTMCell
from rnnpipe.outputs.full import SoftmaxOutput
from rnnpipe.structures import State

#: Of each layer, h and c, ``(B, H)`` float32. Steps make new arrays and never change old ones.
FoldedState = tuple[tuple[np.ndarray, np.ndarray], ...]


class FoldedLSTM:
    """A :class:`rnnpipe.types.NextSymbol` with copies of the weights.

    embedding: ``(V, D)``. forbidden: symbols whose logit is -inf.
    """

    def __init__(
        self,
        embedding: Tensor,
        cells: Sequence[LSTMCell],
        output: SoftmaxOutput,
        forbidden: Sequence[int],
    ) -> None:
        self._widths = [cell.width for cell in cells]
        self._weights, self._biases = [], []
        with torch.no_grad():
            for number, cell in enumerate(cells):
                doubled = torch.ones(4 * cell.width)
                doubled[2 * cell.width : 3 * cell.width] = 2.0
                below, own = (w[0] * doubled for w in (cell.input_weight, cell.hidden.weight))
                bias = cell.bias[0, 0] * doubled
                if number == 0:
                    self._table = (embedding @ below + bias).numpy()  # (V, 4H)
                    self._weights.append(own.numpy())
                else:
                    self._weights.append(torch.cat([below, own]).numpy())
                self._biases.append(bias.numpy())
            self._output = output.weight.t().contiguous().numpy().copy()  # (H, V)
            self._output_bias = output.bias.detach().numpy().copy()
        self._output_bias[list(forbidden)] = -np.inf

    def begin(self, batch_size: int) -> FoldedState:
        return tuple(
            (np.zeros((batch_size, width), np.float32), np.zeros((batch_size, width), np.float32))
            for width in self._widths
        )

    def advance(self, symbols: Tensor, state: State) -> tuple[Tensor, FoldedState]:
        """``(B,)`` to logits ``(B, V)``."""
        folded: FoldedState = state
        h, c = folded[0]
        h, c = _step(h @ self._weights[0], self._table[symbols.numpy()], c)
        after = [(h, c)]
        for number in range(1, len(self._weights)):
            own, c = folded[number]
            joined = np.concatenate((h, own), axis=1)  # (B, 2H)
            h, c = _step(joined @ self._weights[number], self._biases[number], c)
            after.append((h, c))
        logits = h @ self._output
        logits += self._output_bias
        return torch.from_numpy(logits), tuple(after)

    def reorder(self, state: State, rows: Tensor) -> FoldedState:
        index = rows.numpy()
        return tuple((h[index], c[index]) for h, c in state)

    def from_encoder(self, state: State) -> FoldedState:
        """The encoder's state, here."""
        return tuple((h.numpy(), c.numpy()) for h, c in state)


def _step(gates: np.ndarray, x: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``U h`` and what is added to it, ``(B, 4H)``, to the new h and c."""
    gates += x
    torch.from_numpy(gates).sigmoid_()  # several times faster than numpy, and never overflows
    width = c.shape[1]
    i, f = gates[:, :width], gates[:, width : 2 * width]
    g, o = gates[:, 2 * width : 3 * width], gates[:, 3 * width :]
    g *= 2.0
    g -= 1.0
    g *= i
    c = f * c
    c += g
    h = np.tanh(c)
    h *= o
    return h, c
