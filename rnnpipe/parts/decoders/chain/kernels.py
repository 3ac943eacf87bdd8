"""The loops over nodes and labels, compiled by numba for one CPU thread.

Imported only where numba is installed. Arrays are numpy, C-ordered; documents are ``(B, T, L)``
with their lengths ``(B,)``, and what lies beyond a length is neither read nor written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnpipe.layers.jit import compiled

Array = NDArray[Any]


@compiled
def exponentials(scores: Array) -> Array:
    """Return a new array of float64."""
    return np.exp(scores.astype(np.float64))


@compiled
def forward(
    emissions: Array,
    transitions: Array,
    start: Array,
    end: Array,
    lengths: Array,
    peak: float,
    reached: Array,
    log_total: Array,
) -> None:
    """``reached[b, t]``: the share of the sum over everything up to node t that each label has.

    Takes ``exp(emissions - peak)`` and the other scores as they are; ``log_total`` ``(B,)`` is the
    logarithm of the sum over all sequences.
    """
    n_labels = len(start)
    into = exponentials(transitions).T.copy()
    first, last = exponentials(start), exponentials(end)
    for b in range(len(lengths)):
        log_total[b] = lengths[b] * peak
        for t in range(lengths[b]):
            node, total = reached[b, t], 0.0
            if t == 0:
                node[:] = first
            else:
                for j in range(n_labels):
                    before = 0.0
                    for i in range(n_labels):
                        before += reached[b, t - 1, i] * into[j, i]
                    node[j] = before
            for j in range(n_labels):
                node[j] *= emissions[b, t, j]
                total += node[j]
            log_total[b] += np.log(total)
            scale = 1.0 / total if total > 0.0 else 0.0
            for j in range(n_labels):
                node[j] *= scale
        if lengths[b] > 0:
            total = 0.0
            for j in range(n_labels):
                total += reached[b, lengths[b] - 1, j] * last[j]
            log_total[b] += np.log(total)


@compiled
def add_products(left: Array, right: Array, totals: Array) -> None:
    """Adds ``left.T @ right`` of four rows each to ``totals``, in one pass over it."""
    for i in range(left.shape[1]):
        a, b, c, d = left[0, i], left[1, i], left[2, i], left[3, i]
        for j in range(right.shape[1]):
            totals[i, j] += a * right[0, j] + b * right[1, j] + c * right[2, j] + d * right[3, j]


@compiled
def backward(
    emissions: Array,
    transitions: Array,
    start: Array,
    end: Array,
    lengths: Array,
    reached: Array,
    weights: Array,
    nodes: Array,
    steps: Array,
    starts: Array,
    ends: Array,
) -> None:
    """Adds ``weights_b p(y_t)`` to ``nodes`` ``(B, T, L)``, ``weights_b p(y_t, y_t+1)`` of all t to
    ``steps`` ``(L, L)``, and ``weights_b p(y_t)`` of the first and of the last node to ``starts``
    and ``ends`` ``(L,)``. Takes the same as ``forward``.

    ``reached`` is what ``forward`` found. A document of which no sequence is possible adds nothing.
    """
    n_labels = len(start)
    moves, finals = exponentials(transitions), exponentials(end)
    # leaving[i]: the sum over what follows node t with label i, such that reached @ leaving == 1
    leaving = np.empty(n_labels)
    # The steps from four nodes, of whatever documents, are counted together.
    before, after, counted = np.zeros((4, n_labels)), np.zeros((4, n_labels)), 0
    counts = np.zeros((n_labels, n_labels))
    for b in range(len(lengths)):
        last = lengths[b] - 1
        for t in range(last, -1, -1):
            node, total = reached[b, t], 0.0
            if t == last:
                leaving[:] = finals
            else:
                ahead = after[counted]
                for j in range(n_labels):
                    ahead[j] = leaving[j] * emissions[b, t + 1, j]
                for i in range(n_labels):
                    following = 0.0
                    for j in range(n_labels):
                        following += moves[i, j] * ahead[j]
                    leaving[i] = following
            for i in range(n_labels):
                total += node[i] * leaving[i]
            if not total > 0.0:
                break
            scale = 1.0 / total
            for i in range(n_labels):
                leaving[i] *= scale
                nodes[b, t, i] = weights[b] * node[i] * leaving[i]
            if t < last:
                for i in range(n_labels):
                    before[counted, i] = weights[b] * scale * node[i]
                counted += 1
                if counted == 4:
                    add_products(before, after, counts)
                    counted = 0
        if last >= 0:
            starts += nodes[b, 0]
            ends += nodes[b, last]
    before[counted:] = 0.0
    add_products(before, after, counts)
    steps += counts * moves


@compiled
def subtract_score(
    emissions: Array,
    transitions: Array,
    start: Array,
    end: Array,
    lengths: Array,
    paths: Array,
    values: Array,
) -> None:
    """Takes the score of each document's path ``(B, T)`` off ``values`` ``(B,)``. Takes scores.

    Raises IndexError for a label that there is not: nothing else checks the indices.
    """
    for b in range(len(lengths)):
        for t in range(lengths[b]):
            label = paths[b, t]
            if not 0 <= label < len(start):
                raise IndexError("label ids: expected ids of the labels, got one out of range.")
            values[b] -= emissions[b, t, label]
            values[b] -= transitions[paths[b, t - 1], label] if t > 0 else start[label]
        if lengths[b] > 0:
            values[b] -= end[paths[b, lengths[b] - 1]]


@compiled
def subtract_path(
    lengths: Array,
    paths: Array,
    weights: Array,
    nodes: Array,
    steps: Array,
    starts: Array,
    ends: Array,
) -> None:
    """Takes ``weights_b`` off everything that a document's path goes through."""
    for b in range(len(lengths)):
        for t in range(lengths[b]):
            nodes[b, t, paths[b, t]] -= weights[b]
            if t > 0:
                steps[paths[b, t - 1], paths[b, t]] -= weights[b]
        if lengths[b] > 0:
            starts[paths[b, 0]] -= weights[b]
            ends[paths[b, lengths[b] - 1]] -= weights[b]


@compiled
def viterbi(
    emissions: Array,
    transitions: Array,
    start: Array,
    end: Array,
    lengths: Array,
    paths: Array,
) -> None:
    """Writes the best sequence of each document to ``paths`` ``(B, T)``. Takes scores."""
    n_labels, over = len(start), len(start) - 1
    into = transitions.T.copy()
    # best[t, i]: the score of the best sequence from node t and label i on
    best = np.empty((emissions.shape[1], n_labels), emissions.dtype)
    # Written in turn: a maximum in place would compile to masked stores, three times as slow.
    now, then = np.empty(n_labels, emissions.dtype), np.empty(n_labels, emissions.dtype)
    for b in range(len(lengths)):
        for t in range(lengths[b] - 1, -1, -1):
            if t == lengths[b] - 1:
                now[:] = end
            else:
                node = best[t + 1]
                now[:] = -np.inf
                for j in range(0, n_labels, 4):  # four labels to go to; the last one may repeat
                    k, l, m = min(j + 1, over), min(j + 2, over), min(j + 3, over)
                    to_j, to_k, to_l, to_m = node[j], node[k], node[l], node[m]
                    for i in range(n_labels):
                        then[i] = max(now[i], max(into[j, i] + to_j, into[k, i] + to_k))
                    for i in range(n_labels):
                        now[i] = max(then[i], max(into[l, i] + to_l, into[m, i] + to_m))
            for i in range(n_labels):
                best[t, i] = now[i] + emissions[b, t, i]
        for t in range(lengths[b]):
            moves = start if t == 0 else transitions[paths[b, t - 1]]
            label, highest = 0, moves[0] + best[t, 0]
            for j in range(1, n_labels):
                candidate = moves[j] + best[t, j]
                if candidate > highest:
                    label, highest = j, candidate
            paths[b, t] = label
