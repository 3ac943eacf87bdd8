"""The exact probability that a stretch of nodes is one entity."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnpipe.decoders.chain.logspace import LogMessages
from rnnpipe.decoders.chain.partition import messages
from rnnpipe.decoders.chain.potentials import Chain, steps_from


@dataclass(frozen=True)
class Segments:
    """N stretches of nodes of a batch, and the labels that make an entity of each.

    rows, starts, ends: ``(N,)`` int64, document and nodes, ``ends`` exclusive,
        ``0 <= start < end <= length``.
    members: ``(N, K)`` int64, the labels an entity of this type may have, -1 to fill up.
    """

    rows: Tensor
    starts: Tensor
    ends: Tensor
    members: Tensor


@torch.no_grad()
def segment_log_probabilities(chain: Chain, segments: Segments, within: Tensor) -> Tensor:
    """The log-probability that the sequence has an entity with exactly these boundaries.

    Sums over every sequence whose labels at the entity's nodes are among its ``members``, each one
    ``within`` one entity with the label before it, while neither the node before nor the node after
    goes on in that entity. Read as a Markov chain that starts at the entity's first node:
    ``p(first) p(before is apart | first) prod p(next | previous) p(after is apart | last)``.

    within: ``(L, L)`` bool ``[from, to]``. Returns ``(N,)`` in nats.
    """
    if len(segments.rows) == 0:
        return chain.emissions.new_zeros(0)
    sums, lengths = messages(chain), chain.structure.lengths[segments.rows]
    transitions = sums.chain.transitions
    if chain.by_step:  # one more step, which no result reads, so that every node has one
        transitions = torch.cat([transitions, torch.zeros_like(transitions[:, :1])], dim=1)
        if chain.structure.size == 1:
            transitions = transitions.new_zeros(len(lengths), 1, *within.shape)
    rows, labels = segments.rows.unsqueeze(1), segments.members.clamp(min=0)
    starts, last = segments.starts.unsqueeze(1), segments.ends.unsqueeze(1) - 1
    apart = _only(~within, transitions)

    reached = _given(
        (sums.forward + sums.leaving)[rows, starts, labels], _total(sums, segments)
    ).masked_fill(segments.members < 0, -torch.inf)  # (N, K)
    before = (starts - 1).clamp(min=0)
    moves = steps_from(transitions.transpose(-1, -2), rows, before, labels) + apart.T[labels]
    left = torch.logsumexp(sums.forward[segments.rows, before.squeeze(1)].unsqueeze(1) + moves, 2)
    left = _given(left, sums.entering[rows, starts, labels])
    reached = reached + torch.where(starts > 0, left, 0.0)

    reached = _go_on(reached, sums, segments, transitions, within)

    after = torch.minimum(last + 1, lengths.unsqueeze(1) - 1)
    moves = steps_from(transitions, rows, last, labels) + apart[labels]  # (N, K, L)
    right = torch.logsumexp(sums.backward[segments.rows, after.squeeze(1)].unsqueeze(1) + moves, 2)
    right = _given(right, sums.leaving[rows, last, labels])
    reached = reached + torch.where(last + 1 < lengths.unsqueeze(1), right, 0.0)
    return torch.logsumexp(reached, dim=1).to(chain.emissions.dtype)


def _go_on(
    reached: Tensor, sums: LogMessages, segments: Segments, transitions: Tensor, within: Tensor
) -> Tensor:
    """From the first node of each segment, ``(N, K)``, to its last, within the entity."""
    rows, labels = segments.rows.unsqueeze(1), segments.members.clamp(min=0)
    pairs = labels.unsqueeze(2), labels.unsqueeze(1)
    inner = _only(within[pairs], transitions)  # (N, K, K)
    fill = segments.members < 0
    for offset in range(1, int((segments.ends - segments.starts).max())):
        now = torch.minimum(segments.starts + offset, segments.ends - 1).unsqueeze(1)
        moves = steps_from(transitions, rows, now - 1, labels)  # (N, K, L)
        moves = moves.gather(2, labels.unsqueeze(1).expand_as(inner))  # (N, K, K)
        onward = inner + moves + sums.backward[rows, now, labels].unsqueeze(1)
        onward = _given(onward, sums.leaving[rows, now - 1, labels].unsqueeze(2))
        onward = torch.logsumexp(reached.unsqueeze(2) + onward, 1).masked_fill(fill, -torch.inf)
        longer = (segments.starts + offset < segments.ends).unsqueeze(1)
        reached = torch.where(longer, onward, reached)
    return reached


def _total(sums: LogMessages, segments: Segments) -> Tensor:
    at = segments.rows, segments.starts
    return torch.logsumexp(sums.forward[at] + sums.leaving[at], -1, keepdim=True)


def _only(allowed: Tensor, like: Tensor) -> Tensor:
    """0 where allowed, elsewhere ``-inf``."""
    return torch.zeros_like(allowed, dtype=like.dtype).masked_fill(~allowed, -torch.inf)


def _given(joint: Tensor, condition: Tensor) -> Tensor:
    """``log p(a | b)`` of ``log p(a, b)`` and ``log p(b)``; ``-inf`` where b is impossible."""
    impossible = condition == -torch.inf
    return (joint - condition.masked_fill(impossible, 0.0)).masked_fill(impossible, -torch.inf)
