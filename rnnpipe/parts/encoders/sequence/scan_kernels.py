"""A linear recurrence in one compiled pass over the rows of all steps.

Imported only where numba is installed. Arrays are numpy and C-ordered; ``previous`` says which
state each row follows on, counted in B initial ones and then the N rows: see
:class:`rnnpipe.parts.encoders.sequence.steps.Steps`.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from rnnpipe.layers.jit import compiled

Array = NDArray[Any]


@compiled
def forward(a: Array, h: Array, previous: Array) -> None:
    """``h`` ``(D, B + N, H)`` holds the initial states and b, and afterwards all states."""
    first = h.shape[1] - a.shape[1]
    for d in range(len(a)):
        for r in range(a.shape[1]):
            a_row, before, now = a[d, r], h[d, previous[r]], h[d, first + r]
            for j in range(a.shape[2]):
                now[j] += a_row[j] * before[j]


@compiled
def backward(a: Array, h: Array, dh: Array, da: Array, previous: Array) -> None:
    """``dh`` ``(D, B + N, H)`` holds zeros and the gradients of the states, and afterwards those of
    the initial states and of b; ``da`` ``(D, N, H)`` afterwards those of a."""
    first = h.shape[1] - a.shape[1]
    for d in range(len(a)):
        for r in range(a.shape[1] - 1, -1, -1):
            grad, before, grad_before = dh[d, first + r], h[d, previous[r]], dh[d, previous[r]]
            a_row, da_row = a[d, r], da[d, r]
            for j in range(a.shape[2]):
                da_row[j] = grad[j] * before[j]
                grad_before[j] += grad[j] * a_row[j]
