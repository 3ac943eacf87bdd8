"""What an LSTM does between two matrix products, in one compiled pass over a step's rows.

Imported only where numba is installed. Arrays are numpy, float32, C-ordered, and hold the rows of
all steps: see :class:`rnnpipe.parts.encoders.sequence.steps.Steps`. A kernel is told where the
step's n rows begin among them, and where the rows that they follow on begin among the states.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnpipe.layers.jit import compiled

Array = NDArray[Any]

_HALF, _ONE = np.float32(0.5), np.float32(1.0)
#: Beyond it, tanh is 1 in float32.
_LIMIT = np.float32(8.5)


def _convergent(terms: int) -> tuple[tuple[np.float32, ...], tuple[np.float32, ...]]:
    """Polynomials P and Q in x^2, the highest power first, with ``x P / Q`` the convergent of

    tanh x = x / (1 + x^2 / (3 + x^2 / (5 + ...)))      (Lambert 1768)

    after so many terms. All coefficients are positive, so nothing cancels.
    """
    above, below = [Fraction(2 * terms - 1)], [Fraction(1)]  # what stands under the last fraction
    for k in range(terms - 1, 0, -1):
        shifted = [Fraction(0), *below]
        scaled = [(2 * k - 1) * a for a in above] + [Fraction(0)] * (len(shifted) - len(above))
        sums = [a + b for a, b in zip(scaled, shifted + [Fraction(0)] * len(scaled), strict=False)]
        above, below = sums, above
    first = above[0]
    p, q = (tuple(np.float32(float(c / first)) for c in reversed(s)) for s in (below, above))
    return p, q


#: With 13 terms the error is at most 4e-7 up to the limit.
_P, _Q = _convergent(13)


@compiled
def tanh(x: Any) -> Any:
    """Return a quotient of polynomials, which compilers turn into vector instructions. NaN stays
    NaN."""
    x = max(x, -_LIMIT)
    x = min(x, _LIMIT)
    y = x * x
    p, q = _P[0], _Q[0]
    for k in range(1, len(_P)):
        p = p * y + _P[k]
    for k in range(1, len(_Q)):
        q = q * y + _Q[k]
    return x * p / q


@compiled
def forward(gates: Array, h: Array, c: Array, begin: int, before: int, n: int) -> None:
    """From the gates' sums ``(D, N, 4H)``, in place, to the gates, and to h and c
    ``(D, B + N, H)``."""
    width = c.shape[2]
    first = c.shape[1] - gates.shape[1] + begin
    for d in range(len(gates)):
        for r in range(n):
            a, c_old = gates[d, begin + r], c[d, before + r]
            c_new, h_new = c[d, first + r], h[d, first + r]
            for j in range(width):
                i = _HALF * tanh(_HALF * a[j]) + _HALF  # sigma(a) = (tanh(a / 2) + 1) / 2
                f = _HALF * tanh(_HALF * a[width + j]) + _HALF
                g = tanh(a[2 * width + j])
                o = _HALF * tanh(_HALF * a[3 * width + j]) + _HALF
                a[j], a[width + j], a[2 * width + j], a[3 * width + j] = i, f, g, o
                cell = f * c_old[j] + i * g
                c_new[j] = cell
                h_new[j] = o * tanh(cell)


@compiled
def backward(
    gates: Array, c: Array, dh: Array, dc: Array, da: Array, begin: int, before: int, n: int
) -> None:
    """From the gradients of h and c ``(D, B + N, H)`` after the step to those of the gates' sums,
    ``da`` ``(D, N, 4H)``, and, added to it, of c before the step."""
    width = c.shape[2]
    first = c.shape[1] - gates.shape[1] + begin
    for d in range(len(gates)):
        for r in range(n):
            a, grad = gates[d, begin + r], da[d, begin + r]
            c_old, dc_old = c[d, before + r], dc[d, before + r]
            c_new, dc_new, dh_new = c[d, first + r], dc[d, first + r], dh[d, first + r]
            for j in range(width):
                i, f, g, o = a[j], a[width + j], a[2 * width + j], a[3 * width + j]
                out = tanh(c_new[j])
                dcell = dc_new[j] + dh_new[j] * o * (_ONE - out * out)
                grad[j] = dcell * g * i * (_ONE - i)
                grad[width + j] = dcell * c_old[j] * f * (_ONE - f)
                grad[2 * width + j] = dcell * i * (_ONE - g * g)
                grad[3 * width + j] = dh_new[j] * out * o * (_ONE - o)
                dc_old[j] += dcell * f
