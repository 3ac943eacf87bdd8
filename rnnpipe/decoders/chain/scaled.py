"""Forward-backward on probabilities in float64: one matrix product a step, both ways at once.

Fast on a CPU, and exact where :func:`rescale_interval` can prove that nothing underflows; elsewhere
:mod:`rnnpipe.decoders.chain.logspace` takes over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnpipe.decoders.chain.logspace import LogMessages
from rnnpipe.decoders.chain.potentials import Chain

#: Natural logarithm of the range of float64 that is given away: 1e304 of its 1e308.
RANGE = 700.0


@dataclass(frozen=True)
class ScaledMessages:
    """As :class:`~rnnpipe.decoders.chain.logspace.LogMessages`, but probabilities, in float64, each
    node's up to a factor of its own.

    factors: ``exp(transitions - shift)``, in the shape of the transitions.
    """

    chain: Chain
    factors: Tensor
    shift: float
    entering: Tensor
    forward: Tensor
    leaving: Tensor
    backward: Tensor
    log_partition: Tensor

    def posterior(self) -> Tensor:
        """``p(y_t)``, ``(B, T, L)``, zeros at padding and where no sequence is possible."""
        joint = self.forward * self.leaving
        total = self.chain.structure.blank(joint.sum(-1))
        return joint * torch.where(total > 0, 1 / total, 0.0).unsqueeze(-1)

    def expected_transitions(self, weights: Tensor) -> Tensor:
        """``sum_b weights_b sum_t p(y_t, y_t+1)`` in the shape of the chain's transitions.

        weights: ``(B,)``; where each step has transitions of its own, documents are not summed.
        """
        left, right = self.forward[:, :-1], self.backward[:, 1:]
        total = (self.entering[:, 1:] * right).sum(-1)  # (B, T - 1)
        valid = self.chain.structure.mask[:, 1:] & (total > 0)
        left = left * torch.where(valid, weights.unsqueeze(1) / total, 0.0).unsqueeze(-1)
        if self.chain.by_step:
            return left.unsqueeze(-1) * self.factors * right.unsqueeze(-2)
        return self.factors * (left.flatten(0, 1).T @ right.flatten(0, 1))

    def log(self) -> LogMessages:
        """The same messages as logarithms, with the chain in float64."""
        return LogMessages(
            self.chain.double(),
            self.entering.log() + self.shift,
            self.forward.log(),
            self.leaving.log() + self.shift,
            self.backward.log(),
            self.log_partition,
        )


def rescale_interval(chain: Chain) -> int | None:
    """After how many steps messages must be rescaled, or ``None`` where no interval is safe.

    Let the finite scores of a step spread over at most s nats and let any label reach any other in
    exactly k steps. Then a node's smallest message that is not zero is at least ``exp(-k s) / L^k``
    of its largest, and the largest moves by at most a factor ``exp(s) L`` a step: after n steps
    without rescaling everything still fits into ``exp((k + n)(s + log L))``.

    Reads the data on the host, so only a chain on the CPU gets an interval.
    """
    if chain.emissions.device.type != "cpu":
        return None
    mixing, moves = _mixing_steps(chain.transitions), _spread(chain.transitions)
    edges = max(_spread(chain.start), _spread(chain.end))
    low, high = torch.aminmax(chain.emissions)
    spread = float(high - low) + max(moves, edges)
    interval = RANGE / (spread + math.log(len(chain.end)) + 1e-9) - mixing
    # Not "interval < 1": NaN is not safe either.
    return int(min(interval, 1e6)) if interval >= 1 else None


def _spread(scores: Tensor) -> float:
    """Largest minus smallest score, those that forbid left out."""
    finite = scores[scores > -torch.inf]
    return float(finite.max() - finite.min()) if finite.numel() else math.inf


def _mixing_steps(transitions: Tensor) -> float:
    """k such that any label reaches any other in exactly k steps; 1, 3 (enough for every tag
    scheme), or infinity."""
    legal = transitions > -torch.inf
    if transitions.dim() == 4:
        legal = legal.flatten(0, 1).all(0)
    if legal.all():
        return 1
    steps = legal.double()
    return 3 if (steps @ steps @ steps > 0).all() else math.inf


def scaled_messages(chain: Chain, interval: int) -> ScaledMessages:
    """The messages of a batch with at least one node, rescaled every ``interval`` steps."""
    structure = chain.structure
    peak, shift = float(chain.emissions.max()), float(chain.transitions.max())
    first, last = float(chain.start.max()), float(chain.end.max())
    factors = (chain.transitions.double() - shift).exp()
    probabilities = Chain(
        (chain.emissions - peak).double().exp(),
        factors,
        (chain.start.double() - first).exp(),
        (chain.end.double() - last).exp(),
        structure,
    )
    entering, forward, scales = _sweep(probabilities, interval)
    log_scale = torch.where(structure.mask, scales[0].log(), 0.0).sum(1)
    constant = structure.lengths.double() * (peak + shift) + (first + last - shift)
    ended = (structure.last(forward[0]) * probabilities.end).sum(-1).log()
    log_partition = torch.where(structure.lengths > 0, ended + log_scale + constant, 0.0)
    return ScaledMessages(
        chain,
        factors,
        shift,
        entering[0],
        forward[0],
        structure.reverse(entering[1]),
        structure.reverse(forward[1]),
        log_partition,
    )


def _sweep(chain: Chain, interval: int) -> tuple[Tensor, Tensor, Tensor]:
    """Both ways at once: ``(2, B, T, L)`` entering, ``(2, B, T, L)`` forward, ``(2, B, T)`` factors
    removed; [1] is the mirrored chain's. ``chain`` holds probabilities, not logarithms."""
    mirror = chain.mirrored
    batch, size, n_labels = chain.emissions.shape
    emitted = torch.stack([chain.emissions, mirror.emissions])  # (2, B, T, L)
    emitted = emitted.permute(2, 0, 1, 3).contiguous()  # (T, 2, B, L)
    shape = (size, 2, batch, n_labels)
    if chain.by_step:
        moves = list(torch.cat([chain.transitions, mirror.transitions]).unbind(1))
        emitted, shape = emitted.view(size, 2 * batch, 1, n_labels), (size, 2 * batch, 1, n_labels)
    else:
        moves = [torch.stack([chain.transitions, mirror.transitions])] * (size - 1)
    edges = torch.stack([chain.start, chain.end])[:, None].expand(2, batch, n_labels)
    entering, forward = emitted.new_empty(shape), emitted.new_empty(shape)
    entering[0] = edges.reshape(shape[1:])
    scales = emitted.new_ones((*shape[:3], 1))
    torch.mul(entering[0], emitted[0], out=forward[0])
    nodes = zip(entering.unbind(0), forward.unbind(0), emitted.unbind(0), strict=True)
    previous = None
    for t, (enters, reaches, emits) in enumerate(nodes):
        if previous is not None:
            torch.bmm(previous, moves[t - 1], out=enters)
            torch.mul(enters, emits, out=reaches)
        if t % interval == interval - 1:
            torch.sum(reaches, dim=-1, keepdim=True, out=scales[t])
            reaches /= scales[t]
        previous = reaches
    back = (size, 2, batch)
    return (
        entering.view(*back, n_labels).permute(1, 2, 0, 3),
        forward.view(*back, n_labels).permute(1, 2, 0, 3),
        scales.view(back).permute(1, 2, 0),
    )
