"""Forward-backward on probabilities in float64: one matrix product a step, both ways at once.

Fast on a CPU, and exact where :func:`rnnpipe.parts.decoders.chain.lowering.find_lowering` proves
that nothing underflows; elsewhere :mod:`rnnpipe.parts.decoders.chain.logspace` takes over.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnpipe.parts.decoders.chain.logspace import LogMessages
from rnnpipe.parts.decoders.chain.lowering import Lowering
from rnnpipe.parts.decoders.chain.potentials import Chain, ClosedChain


@dataclass(frozen=True)
class ScaledMessages:
    """As :class:`~rnnpipe.parts.decoders.chain.logspace.LogMessages`, but not as logarithms.

    factors: the exponentials of the scores of ``closed``.
    """

    closed: ClosedChain
    factors: ClosedChain
    forward: Tensor
    leaving: Tensor
    backward: Tensor
    log_total: Tensor
    lowered: Tensor

    def expectations(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """As in :meth:`LogMessages.expectations`."""
        joint = self.forward * self.leaving
        total = joint.sum(-1, keepdim=True)  # (T + 1, B, 1)
        share = torch.where(total > 0, weights.unsqueeze(1) / total, 0.0)
        left, right = (self.forward * share)[:-1], self.backward[1:]
        factors = self.factors.transitions
        if self.factors.by_step:
            return joint.mul_(share), left.unsqueeze(-1) * factors * right.unsqueeze(-2)
        return joint.mul_(share), factors * (left.flatten(0, 1).T @ right.flatten(0, 1))

    def log(self) -> LogMessages:
        """Return the same messages as logarithms."""
        sums = (self.forward.log(), self.leaving.log(), self.backward.log())
        return LogMessages(self.closed, *sums, self.log_total, self.lowered)


def scaled_messages(chain: Chain, lowering: Lowering) -> ScaledMessages:
    """Return the messages of a batch on the CPU."""
    closed = lowering.lower(chain).close()
    factors = ClosedChain(closed.emissions.exp(), closed.transitions.exp(), closed.start.exp())
    entering, reached, log_scale = _sweep(factors, lowering.interval)
    # Only the label "over" is left at the last node.
    log_total = reached[-1, 0, :, -1].log() + log_scale
    leaving, backward = entering[:, 1].flip(0), reached[:, 1].flip(0)
    lowered = chain.structure.lengths.double() * lowering.peak
    return ScaledMessages(closed, factors, reached[:, 0], leaving, backward, log_total, lowered)


def _sweep(factors: ClosedChain, interval: int) -> tuple[Tensor, Tensor, Tensor]:
    """``[:, 0]`` from the first node to the last, ``[:, 1]`` from the last to the first.

    Returns ``(T + 1, 2, B, L + 1)``, the sum before a node and the same with the node, and the
    logarithms of the factors taken out on the way forward, ``(B,)``.
    """
    size, batch, n_labels = factors.emissions.shape
    emitted = torch.stack([factors.emissions, factors.emissions.flip(0)], 1)
    if factors.by_step:
        shape = (2 * batch, 1, n_labels)
        back = factors.transitions.flip(0).transpose(-1, -2)
        moves = torch.cat([factors.transitions, back], 1).unbind(0)
    else:
        shape = (2, batch, n_labels)
        moves = (torch.stack([factors.transitions, factors.transitions.T]),) * (size - 1)
    entering = emitted.new_ones(size, *shape)
    reached = torch.empty_like(entering)
    entering[0].view(2, batch, n_labels)[0] = factors.start
    log_scale = emitted.new_zeros(batch)

    enters, reaches, emits = (
        entering.unbind(0),
        reached.unbind(0),
        emitted.view_as(reached).unbind(0),
    )
    torch.mul(enters[0], emits[0], out=reaches[0])
    for t in range(1, size):
        torch.bmm(reaches[t - 1], moves[t - 1], out=enters[t])
        torch.mul(enters[t], emits[t], out=reaches[t])
        if t % interval == 0:
            scale = reaches[t].sum(-1, keepdim=True).clamp_(min=torch.finfo(torch.float64).tiny)
            reaches[t].div_(scale)
            log_scale += scale.view(2, batch)[0].log()
    both = (size, 2, batch, n_labels)
    return entering.view(both), reached.view(both), log_scale
