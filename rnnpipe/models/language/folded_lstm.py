"""LSTM layers between an embedding and a softmax, folded for single steps on a CPU.

The product of every embedding with the first layer's input weights is computed once, so that a
symbol selects a row of a table. The products of a layer's h with the input weights of the next
layer and with its own recurrent weights are one product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rnnpipe.layers.jit import kernels
from rnnpipe.parts.encoders.sequence.lstm_cells import LSTMCell
from rnnpipe.parts.outputs.full import SoftmaxOutput
from rnnpipe.structures import State

#: Up to so many rows, a compiled loop beats products by a library.
FEW = 12


class FoldedState(NamedTuple):
    """The state of L layers, float32. Steps return new arrays and never change old ones.

    own: ``U h``, ``(L, B, 4H)``. c: ``(L, B, H)``.
    """

    own: np.ndarray
    c: np.ndarray


class FoldedLSTM:
    """A :class:`rnnpipe.contracts.types.NextSymbol` with copies of the weights.

    embedding: ``(V, D)``. cells: L of equal width H. forbidden: symbols whose logit is -inf.
    """

    def __init__(
        self,
        embedding: Tensor,
        cells: Sequence[LSTMCell],
        output: SoftmaxOutput,
        forbidden: Sequence[int],
    ) -> None:
        first, *others = cells
        with torch.no_grad():
            own = [cell.hidden.matrix[0] for cell in cells]
            above = [*(cell.input_weight[0] for cell in others), output.weight.t()]
            biases = [*(cell.bias[0, 0] for cell in others), output.bias]
            table = embedding @ first.input_weight[0] + first.bias[0, 0]
            self._table = table.numpy()  # (V, 4H)
            self._own = torch.stack(own).numpy()  # (L, H, 4H)
            # Of each layer (H, 4H + 4H), of the last one (H, 4H + V).
            self._weights = tuple(
                torch.cat(pair, dim=1).numpy() for pair in zip(own, above, strict=True)
            )
            self._biases = tuple(bias.numpy().copy() for bias in biases)  # of what is above
        self._biases[-1][list(forbidden)] = -np.inf

    def begin(self, batch_size: int) -> FoldedState:
        n_layers, width, size = self._own.shape
        shapes = (n_layers, batch_size, size), (n_layers, batch_size, width)
        return FoldedState(*(np.zeros(shape, np.float32) for shape in shapes))

    def advance(self, symbols: Tensor, state: State) -> tuple[Tensor, FoldedState]:
        """Return the logits ``(B, V)`` after symbols ``(B,)``."""
        before: FoldedState = state
        after = FoldedState(np.empty_like(before.own), np.empty_like(before.c))
        run = kernels("rnnpipe.models.language.folded_kernels") if len(symbols) <= FEW else None
        if run is None:
            return torch.from_numpy(self._advance(symbols.numpy(), before, after)), after
        logits = np.empty((len(symbols), len(self._table)), np.float32)
        weights = (self._table, self._weights, self._biases)
        run.step(symbols.numpy(), *weights, *before, *after, logits)
        return torch.from_numpy(logits), after

    def _advance(self, symbols: np.ndarray, before: FoldedState, after: FoldedState) -> np.ndarray:
        below = self._table.take(symbols, 0)  # (B, 4H)
        for layer, (weights, bias) in enumerate(zip(self._weights, self._biases, strict=True)):
            own = before.own[layer]
            below += own
            h, after.c[layer] = _cell(below, before.c[layer])
            product = h @ weights
            after.own[layer] = product[:, : own.shape[1]]
            below = product[:, own.shape[1] :] + bias  # (B, 4H), and after the last layer (B, V)
        return below

    def reorder(self, state: State, rows: Tensor) -> FoldedState:
        index = rows.numpy()
        return FoldedState(*(each.take(index, 1) for each in state))

    def from_encoder(self, state: State) -> FoldedState:
        """Convert the encoder's state."""
        h, c = (np.stack([layer[i].numpy() for layer in state]) for i in (0, 1))  # (L, B, H)
        return FoldedState(h @ self._own, c)


def _cell(gates: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute h and c from the gate inputs, ``(B, 4H)``, which are overwritten, and c."""
    n, width = c.shape
    run = kernels("rnnpipe.parts.encoders.sequence.lstm_kernels")
    if run is not None:
        h_of_both = np.empty((1, 2 * n, width), np.float32)
        c_of_both = np.empty_like(h_of_both)  # before and after
        c_of_both[0, :n] = c
        run.forward(gates[None], h_of_both, c_of_both, 0, 0, n)
        return h_of_both[0, n:], c_of_both[0, n:]
    i, f, g, o = (gates[:, begin : begin + width] for begin in range(0, 4 * width, width))
    g *= 2.0  # tanh(a) = 2 sigma(2 a) - 1
    torch.from_numpy(gates).sigmoid_()  # several times faster than numpy, and never overflows
    g *= 2.0
    g -= 1.0
    g *= i
    c = f * c
    c += g
    h = np.tanh(c)
    h *= o
    return h, c
