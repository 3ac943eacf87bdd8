"""The exact probability that a stretch of nodes is one entity."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from rnnpipe.parts.decoders.chain.logspace import LogMessages
from rnnpipe.parts.decoders.chain.partition import messages
from rnnpipe.parts.decoders.chain.potentials import Chain


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
    """Return the log-probability that the sequence has an entity with exactly these boundaries.

    Sums over every sequence whose labels at the entity's nodes are among its ``members``, each one
    ``within`` one entity with the label before it, while neither the node before nor the node after
    goes on in that entity. Read as a Markov chain that starts at the entity's first node:
    ``p(first) p(before is apart | first) prod p(next | previous) p(after is apart | last)``.

    within: ``(L, L)`` bool ``[from, to]``. Returns ``(N,)`` in nats.
    """
    if len(segments.rows) == 0:
        return chain.emissions.new_zeros(0)
    sums = messages(chain)
    within = F.pad(within, (0, 1, 0, 1))  # being over goes on with nothing
    rows, labels = segments.rows.unsqueeze(1), segments.members.clamp(min=0)
    first, last = segments.starts.unsqueeze(1), segments.ends.unsqueeze(1) - 1

    node = (sums.forward + sums.leaving)[first, rows]  # (N, 1, L + 1)
    reached = node.squeeze(1).gather(1, labels)
    reached = _given(reached, torch.logsumexp(node, 2)).masked_fill(
        segments.members < 0, -torch.inf
    )

    before = (first - 1).clamp(min=0)
    ways = sums.closed.steps_to(before, rows, labels) + sums.forward[before, rows]  # (N, K, L + 1)
    apart = torch.logsumexp(ways.masked_fill(within.T[labels], -torch.inf), 2)
    apart = _given(apart, torch.logsumexp(ways, 2))
    reached = reached + torch.where(first > 0, apart, 0.0)

    reached = _go_on(reached, sums, segments, within)

    ways = sums.closed.steps_from(last, rows, labels) + sums.backward[last + 1, rows]
    apart = torch.logsumexp(ways.masked_fill(within[labels], -torch.inf), 2)
    reached = reached + _given(apart, torch.logsumexp(ways, 2))
    return torch.logsumexp(reached, 1).to(chain.emissions.dtype)


def _go_on(reached: Tensor, sums: LogMessages, segments: Segments, within: Tensor) -> Tensor:
    """From the first node of each segment, ``(N, K)``, to its last, within the entity."""
    rows, labels = segments.rows.unsqueeze(1), segments.members.clamp(min=0)
    pairs = labels.unsqueeze(2), labels.unsqueeze(1)
    impossible = ~within[pairs] | (segments.members < 0).unsqueeze(1)  # (N, K from, K to)
    for offset in range(1, int((segments.ends - segments.starts).max())):
        now = torch.minimum(segments.starts + offset, segments.ends - 1).unsqueeze(1)
        ways = sums.closed.steps_from(now - 1, rows, labels) + sums.backward[now, rows]
        onward = _given(ways, torch.logsumexp(ways, 2, keepdim=True))  # (N, K, L + 1)
        onward = onward.gather(2, labels.unsqueeze(1).expand_as(impossible))
        onward = reached.unsqueeze(2) + onward.masked_fill(impossible, -torch.inf)
        longer = (segments.starts + offset < segments.ends).unsqueeze(1)
        reached = torch.where(longer, torch.logsumexp(onward, 1), reached)
    return reached


def _given(joint: Tensor, condition: Tensor) -> Tensor:
    """``log p(a | b)`` of ``log p(a, b)`` and ``log p(b)``; ``-inf`` where b is impossible."""
    impossible = condition == -torch.inf
    return (joint - condition.masked_fill(impossible, 0.0)).masked_fill(impossible, -torch.inf)
