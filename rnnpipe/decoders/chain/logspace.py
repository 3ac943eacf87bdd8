"""Forward-backward in log space: right for any scores on any device, one step at a time.

Messages are known up to a factor per node, which cancels in everything that is read off them, so
that they keep their precision however large the scores and however long the document.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnpipe.decoders.chain.potentials import Chain


@dataclass(frozen=True)
class LogMessages:
    """Sums over all the ways to reach and to leave each label, as logarithms, ``(B, T, L)``.

    entering: nodes before t, and the step to t. ``start`` at the first node.
    forward: nodes up to t, ``entering + emissions``.
    leaving: the step from t, and the nodes after it. ``end`` at the last node.
    backward: nodes from t on, ``leaving + emissions``.
    log_partition: ``log Z``, ``(B,)``; exact, without a factor.
    """

    chain: Chain
    entering: Tensor
    forward: Tensor
    leaving: Tensor
    backward: Tensor
    log_partition: Tensor

    def posterior(self) -> Tensor:
        """``p(y_t)``, ``(B, T, L)``, zeros at padding and where no sequence is possible."""
        scores = self.forward + self.leaving
        dead = scores.amax(-1, keepdim=True) == -torch.inf
        share = torch.softmax(scores.masked_fill(dead, 0.0), dim=-1).masked_fill(dead, 0.0)
        return self.chain.structure.blank(share)

    def expected_transitions(self, weights: Tensor) -> Tensor:
        """``sum_b weights_b sum_t p(y_t, y_t+1)`` in the shape of the chain's transitions.

        weights: ``(B,)``; where each step has transitions of its own, documents are not summed.
        """
        chain, steps = self.chain, self.chain.structure.size - 1
        totals = torch.zeros_like(chain.transitions)
        for t in range(steps):
            # (B, 1, 1): the pair's normaliser, with the factors that these messages happen to have
            norm = torch.logsumexp(self.entering[:, t + 1] + self.backward[:, t + 1], dim=-1)
            invalid = ~chain.structure.mask[:, t + 1] | (norm == -torch.inf)
            pairs = self.forward[:, t, :, None] + chain.step(t) + self.backward[:, t + 1, None]
            pairs = (pairs - norm[:, None, None]).masked_fill(invalid[:, None, None], -torch.inf)
            expected = pairs.exp() * weights[:, None, None]  # (B, L, L)
            if chain.by_step:
                totals[:, t] = expected
            else:
                totals += expected.sum(0)
        return totals


def log_messages(chain: Chain) -> LogMessages:
    """The messages of a batch with at least one node, in the precision of its scores."""
    mirror = chain.mirrored
    entering, forward, scales = _sweep(chain)
    leaving, backward, _ = _sweep(mirror)
    structure = chain.structure
    ended = torch.logsumexp(structure.last(forward) + chain.end, dim=-1)
    scale = structure.blank(scales).sum(1)
    log_partition = torch.where(structure.lengths > 0, ended + scale, 0.0)
    return LogMessages(
        chain,
        entering,
        forward,
        structure.reverse(leaving),
        structure.reverse(backward),
        log_partition,
    )


def _sweep(chain: Chain) -> tuple[Tensor, Tensor, Tensor]:
    """Left to right: ``(B, T, L)`` entering, ``(B, T, L)`` forward, ``(B, T)`` factors removed.

    Nothing after a document's last node is read by anyone, so padding needs no mask here.
    """
    entering = [chain.start.expand_as(chain.emissions[:, 0])]
    forward: list[Tensor] = []
    scales: list[Tensor] = []
    for t, emitted in enumerate(chain.emissions.unbind(1)):
        if t:
            moved = forward[-1].unsqueeze(2) + chain.step(t - 1)  # (B, L from, L to)
            entering.append(torch.logsumexp(moved, dim=1))
        reached = entering[-1] + emitted
        scale = reached.amax(-1, keepdim=True).clamp(min=torch.finfo(reached.dtype).min)
        forward.append(reached - scale)
        scales.append(scale.squeeze(1))
    return torch.stack(entering, 1), torch.stack(forward, 1), torch.stack(scales, 1)
