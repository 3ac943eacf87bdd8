"""Forward-backward in log space: right for any scores on any device, one step at a time.

Messages are known up to a factor per node, which cancels in everything that is read off them, so
that they keep their precision however large the scores and however long the document.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnpipe.parts.decoders.chain.potentials import Chain, ClosedChain


@dataclass(frozen=True)
class LogMessages:
    """Sums over all the ways to reach and to leave each label, ``(T + 1, B, L + 1)`` logarithms.

    closed: the chain they belong to, its scores lowered by constants that are the same for all
        sequences of a document.
    forward: the sum over everything before node t, and node t.
    leaving: the sum over the step from t and everything after it.
    backward: node t as well, ``leaving + emissions``.
    log_total: ``log Z`` of the lowered scores, ``(B,)``.
    lowered: by how much each document's sequences were lowered, ``(B,)``.
    """

    closed: ClosedChain
    forward: Tensor
    leaving: Tensor
    backward: Tensor
    log_total: Tensor
    lowered: Tensor

    def expectations(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """``weights_b p(y_t)``, ``(T + 1, B, L + 1)``, and ``sum_b weights_b sum_t p(y_t, y_t+1)``
        in the shape of the chain's transitions: where each step has its own, nothing is summed.

        weights: ``(B,)``. Zeros for a document of which no sequence is possible.
        """
        norms = torch.logsumexp(self.forward + self.leaving, -1, keepdim=True)
        norms = norms.masked_fill(norms == -torch.inf, 0.0)  # (T + 1, B, 1)
        nodes = (self.forward + self.leaving - norms).exp() * weights.unsqueeze(1)
        steps = torch.zeros_like(self.closed.transitions)
        for t, norm in enumerate(norms[:-1]):
            before = (self.forward[t] - norm).unsqueeze(2)
            pairs = before + self.closed.step(t) + self.backward[t + 1].unsqueeze(1)
            expected = pairs.exp() * weights[:, None, None]  # (B, L + 1, L + 1)
            if self.closed.by_step:
                steps[t] = expected
            else:
                steps += expected.sum(0)
        return nodes, steps


def log_messages(chain: Chain) -> LogMessages:
    """Return the messages of a batch, in the precision of its scores."""
    closed = chain.close()
    forward, scales = [closed.start + closed.emissions[0]], []
    for t, emitted in enumerate(closed.emissions[1:]):
        forward[-1], scale = _rescale(forward[-1])
        scales.append(scale)
        moved = forward[-1].unsqueeze(2) + closed.step(t)  # (B, L + 1 from, L + 1 to)
        forward.append(torch.logsumexp(moved, dim=1) + emitted)
    # Only the label "over" is left at the last node.
    log_total = torch.stack([forward[-1][:, -1], *scales]).sum(0)

    leaving = [torch.zeros_like(forward[-1])]
    backward = [closed.emissions[-1]]
    for t in range(len(closed.emissions) - 2, -1, -1):
        moved = closed.step(t) + backward[-1].unsqueeze(1)  # (B, L + 1 from, L + 1 to)
        # Rescaled only after this: the messages on both sides of a step must fit each other.
        leaving.append(torch.logsumexp(moved, dim=2))
        backward.append(_rescale(leaving[-1] + closed.emissions[t])[0])
    return LogMessages(
        closed,
        torch.stack(forward),
        torch.stack(leaving[::-1]),
        torch.stack(backward[::-1]),
        log_total,
        torch.zeros_like(log_total),
    )


def _rescale(message: Tensor) -> tuple[Tensor, Tensor]:
    """``(B, L + 1)`` with a maximum of 0, and what was taken away, ``(B,)``."""
    scale = message.amax(-1, keepdim=True)
    return message - scale.masked_fill(scale == -torch.inf, 0.0), scale.squeeze(1)
