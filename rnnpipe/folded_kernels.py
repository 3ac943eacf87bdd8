"""A step of folded layers of LSTM, compiled, for a few texts at once.

Imported only where numba is installed. Arrays are numpy, float32, C-ordered; names and shapes are
those of :class:`rnnpipe.folded_lstm.FoldedLSTM`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnpipe.encoders.lstm_kernels import tanh
from rnnpipe.jit import compiled

Array = NDArray[Any]

_HALF = np.float32(0.5)


@compiled
def add_product(h: Array, weights: Array, total: Array) -> None:
    """``total += h @ weights`` for one row: four rows of the weights in each pass over it."""
    whole = len(h) - len(h) % 4
    for k in range(0, whole, 4):
        a, b, c, d = h[k], h[k + 1], h[k + 2], h[k + 3]
        p, q, r, s = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        for j in range(len(total)):
            total[j] += a * p[j] + b * q[j] + c * r[j] + d * s[j]
    for k in range(whole, len(h)):
        for j in range(len(total)):
            total[j] += h[k] * weights[k, j]


@compiled
def cell(below: Array, own: Array, c: Array, h_after: Array, c_after: Array) -> None:
    """From what goes into the gates of one row, ``(4H)`` twice, to h and c."""
    width = len(c)
    for j in range(width):
        i = _HALF * tanh(_HALF * (below[j] + own[j])) + _HALF  # sigma(a) = (tanh(a / 2) + 1) / 2
        f = _HALF * tanh(_HALF * (below[width + j] + own[width + j])) + _HALF
        g = tanh(below[2 * width + j] + own[2 * width + j])
        o = _HALF * tanh(_HALF * (below[3 * width + j] + own[3 * width + j])) + _HALF
        c_after[j] = f * c[j] + i * g
        h_after[j] = o * tanh(c_after[j])


@compiled
def step(
    symbols: Array,
    table: Array,
    weights: tuple[Array, ...],
    biases: tuple[Array, ...],
    own: Array,
    c: Array,
    own_after: Array,
    c_after: Array,
    logits: Array,
) -> None:
    """Into the last three arrays."""
    n_layers, n_rows, width = c.shape
    h = np.empty(width, np.float32)
    for row in range(n_rows):
        below = table[symbols[row]]
        for layer in range(n_layers):
            cell(below, own[layer, row], c[layer, row], h, c_after[layer, row])
            total = np.zeros(weights[layer].shape[1], np.float32)
            total[4 * width :] = biases[layer]
            add_product(h, weights[layer], total)
            own_after[layer, row] = total[: 4 * width]
            below = total[4 * width :]
        logits[row] = below
