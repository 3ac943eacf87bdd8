"""Forward-backward on probabilities in float64: one matrix product a step, both ways at once.

Fast on a CPU, and exact where :func:`rescale_interval` can prove that nothing underflows; elsewhere
:mod:`rnnpipe.decoders.chain.logspace` takes over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnpipe.decoders.chain.logspace import LogMessages
from rnnpipe.decoders.chain.potentials import Chain, ClosedChain

#: The natural logarithm of the range of normal float64 numbers that messages may use, of 708.
RANGE = 690.0


def rescale_interval(chain: Chain) -> int | None:
    """After how many steps messages must be rescaled, or ``None`` where no interval is safe.

    Let the finite scores of one node and one step spread over at most s nats, and let any label
    reach any other in exactly k steps. Then a node's smallest message that is not zero is at least
    ``exp(-k s) / L^k`` of its largest, and the largest changes by at most a factor ``exp(s) L`` a
    step. So after n steps without rescaling nothing that counts has left
    ``exp(-(k + n) (s + log L))`` to its inverse.

    Reads the scores on the host, so only a chain on the CPU gets an interval.
    """
    if chain.emissions.device.type != "cpu" or chain.emissions.numel() == 0:
        return None
    low, high = (float(x) for x in torch.aminmax(chain.emissions))
    steps = chain.transitions.detach().numpy()
    mixing = _mixing_steps(steps.reshape(-1, *steps.shape[-2:]))
    if low == -math.inf:
        # Labels known to be impossible at single nodes may keep others apart for any time.
        low = float(chain.emissions.masked_fill(chain.emissions == low, high).amin())
        mixing = None
    edges = max(_spread(chain.start.detach().numpy()), _spread(chain.end.detach().numpy()))
    step = high - low + max(_spread(steps), edges) + math.log(len(chain.end))
    interval = RANGE / (step + 1e-9) - (mixing or chain.structure.size)
    # Asked this way round, NaN is not safe either.
    return int(interval) if interval >= 1 else None


def _spread(scores: NDArray[Any]) -> float:
    """Largest minus smallest score, those that forbid left out."""
    finite = np.where(scores == -math.inf, math.inf, scores)
    return (
        float(scores.max(initial=-math.inf) - finite.min(initial=math.inf)) if scores.size else 0.0
    )


def _mixing_steps(transitions: NDArray[Any]) -> int | None:
    """The smallest of 1 and 3 (enough for every tag scheme) in which any label reaches any other;
    ``None`` if it takes more."""
    legal = np.asarray((transitions > -math.inf).all(0), dtype=np.float32)
    if legal.all():
        return 1
    return 3 if (legal @ legal @ legal > 0).all() else None


@dataclass(frozen=True)
class ScaledMessages:
    """As :class:`~rnnpipe.decoders.chain.logspace.LogMessages`, but not as logarithms.

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
        """The same messages as logarithms."""
        sums = (self.forward.log(), self.leaving.log(), self.backward.log())
        return LogMessages(self.closed, *sums, self.log_total, self.lowered)


def scaled_messages(chain: Chain, interval: int) -> ScaledMessages:
    """The messages of a batch on the CPU, rescaled every ``interval`` steps."""
    peaks = [float(score.max()) for score in chain.scores]
    emissions, transitions, start, end = (
        score.double() - peak for score, peak in zip(chain.scores, peaks, strict=True)
    )
    closed = Chain(emissions, transitions, start, end, chain.structure).close()
    factors = ClosedChain(closed.emissions.exp(), closed.transitions.exp(), closed.start.exp())
    entering, reached, log_scale = _sweep(factors, interval)
    # Only the label "over" is left at the last node.
    log_total = reached[-1, 0, :, -1].log() + log_scale
    emission, transition, first, last = peaks
    nodes = chain.structure.lengths.double()
    lowered = nodes * (emission + transition) + (first + last - transition) * nodes.clamp(max=1)
    leaving, backward = entering[:, 1].flip(0), reached[:, 1].flip(0)
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
