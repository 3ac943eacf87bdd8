"""One step of folded LSTM layers, compiled, for a few texts at once.

Imported only if numba is installed. Arrays are numpy, float32, C-ordered; names and shapes are
those of :class:`rnnpipe.models.language.folded_lstm.FoldedLSTM`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnpipe.layers.jit import compiled
from rnnpipe.parts.encoders.sequence.lstm_kernels import tanh

Array = NDArray[Any]

_HALF = np.float32(0.5)


@compiled
def add_product(h: Array, weights: Array, total: Array) -> None:
    """Compute ``total += h @ weights`` for one row, four rows of the weights per pass over it."""
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
def add_four_products(h: Array, weights: Array, totals: Array) -> None:
    """Compute the same for four rows, which share the loaded weights."""
    n_in, n_out = weights.shape
    t, u, v, w = totals[0], totals[1], totals[2], totals[3]
    for k in range(0, n_in - n_in % 4, 4):
        a0, a1, a2, a3 = h[0, k], h[0, k + 1], h[0, k + 2], h[0, k + 3]
        b0, b1, b2, b3 = h[1, k], h[1, k + 1], h[1, k + 2], h[1, k + 3]
        c0, c1, c2, c3 = h[2, k], h[2, k + 1], h[2, k + 2], h[2, k + 3]
        d0, d1, d2, d3 = h[3, k], h[3, k + 1], h[3, k + 2], h[3, k + 3]
        p, q, r, s = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        for j in range(n_out):
            x0, x1, x2, x3 = p[j], q[j], r[j], s[j]
            t[j] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
            u[j] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
            v[j] += c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
            w[j] += d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3
    for k in range(n_in - n_in % 4, n_in):
        for row in range(4):
            for j in range(n_out):
                totals[row, j] += h[row, k] * weights[k, j]


@compiled
def cell(below: Array, own: Array, c: Array, h_after: Array, c_after: Array) -> None:
    """Compute h and c from the gate inputs of one row, ``(4H)`` twice."""
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
    """Compute a step; the results are written into the last three arrays."""
    n_layers, n_rows, width = c.shape
    h = np.empty((n_rows, width), np.float32)
    below = np.empty((n_rows, 4 * width), np.float32)
    for row in range(n_rows):
        below[row] = table[symbols[row]]
    for layer in range(n_layers):
        totals = np.zeros((n_rows, weights[layer].shape[1]), np.float32)
        for row in range(n_rows):
            cell(below[row], own[layer, row], c[layer, row], h[row], c_after[layer, row])
            totals[row, 4 * width :] = biases[layer]
        fours = n_rows - n_rows % 4
        for row in range(0, fours, 4):
            add_four_products(h[row : row + 4], weights[layer], totals[row : row + 4])
        for row in range(fours, n_rows):
            add_product(h[row], weights[layer], totals[row])
        own_after[layer] = totals[:, : 4 * width]
        (below if layer < n_layers - 1 else logits)[:] = totals[:, 4 * width :]
