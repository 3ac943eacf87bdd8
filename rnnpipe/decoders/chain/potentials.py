"""The scores that define a linear-chain distribution, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rnnpipe.structures import Sequences


@dataclass(frozen=True)
class Chain:
    """A distribution over the label sequences ``y`` of each document of a batch.

    ``p(y) = exp(score(y)) / Z``, with
    ``score(y) = start[y_1] + sum_t emissions[t, y_t] + sum_t transitions[y_t, y_t+1] + end[y_n]``
    (Lafferty et al. 2001). Scores are natural logarithms; ``-inf`` forbids. An empty document has
    one sequence, the empty one, with score 0.

    emissions: ``(B, T, L)``; padded positions are never read into a result.
    transitions: ``[from, to]``, ``(L, L)``, or ``(B, T - 1, L, L)`` where they differ from step to
        step: ``transitions[:, t]`` leads from node t to node t + 1.
    start, end: ``(L,)``.
    structure: lengths and padded size T.
    """

    emissions: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor
    structure: Sequences

    @property
    def by_step(self) -> bool:
        """Whether each step has transitions of its own."""
        return self.transitions.dim() == 4

    def detach(self) -> Chain:
        """The same scores, out of the autograd graph."""
        return replace(
            self,
            emissions=self.emissions.detach(),
            transitions=self.transitions.detach(),
            start=self.start.detach(),
            end=self.end.detach(),
        )

    def double(self) -> Chain:
        """The same scores in float64, where the device has it."""
        if self.emissions.device.type == "mps":
            return self
        return replace(
            self,
            emissions=self.emissions.double(),
            transitions=self.transitions.double(),
            start=self.start.double(),
            end=self.end.double(),
        )

    @property
    def mirrored(self) -> Chain:
        """The chain of every document read back to front, left-aligned like this one."""
        transitions = self.transitions.transpose(-1, -2)
        if self.by_step:
            steps = Sequences((self.structure.lengths - 1).clamp(min=0), transitions.shape[1])
            transitions = steps.reverse(transitions.flatten(2)).view(transitions.shape)
        emissions = self.structure.reverse(self.emissions)
        return Chain(emissions, transitions, self.end, self.start, self.structure)

    def step(self, t: int) -> Tensor:
        """The transitions from node t to node t + 1: ``(L, L)`` or ``(B, L, L)``."""
        return self.transitions[:, t] if self.by_step else self.transitions

    def only(self, possible: Tensor) -> Chain:
        """The chain without the labels that are not ``possible`` (``(B, T, L)`` bool)."""
        excluded = ~possible & self.structure.mask.unsqueeze(2)
        return replace(self, emissions=self.emissions.masked_fill(excluded, -torch.inf))

    def score(self, paths: Tensor) -> Tensor:
        """``score(y)`` of one sequence a document. ``paths``: ``(B, T)`` label ids, anything at
        padding. Returns ``(B,)``, differentiable."""
        if self.structure.size == 0:
            return self.emissions.sum((1, 2))  # (B,) zeros that belong to the graph
        mask = self.structure.mask
        paths = paths.masked_fill(~mask, 0)
        emitted = self.emissions.gather(2, paths.unsqueeze(2)).squeeze(2)  # (B, T)
        moves = paths[:, :-1] * self.end.shape[0] + paths[:, 1:]  # (B, T - 1)
        if self.by_step:
            moved = self.transitions.flatten(2).gather(2, moves.unsqueeze(2)).squeeze(2)
        else:
            moved = self.transitions.flatten()[moves]
        # where, not a product: a score may be -inf.
        inner = torch.where(mask, emitted, 0.0).sum(1) + torch.where(mask[:, 1:], moved, 0.0).sum(1)
        last = self.structure.last(paths.unsqueeze(2)).squeeze(1)
        outer = self.start[paths[:, 0]] + self.end[last]
        return torch.where(self.structure.lengths > 0, inner + outer, 0.0)


def steps_from(transitions: Tensor, rows: Tensor, t: Tensor | int, labels: Tensor) -> Tensor:
    """The scores of the steps from node ``t`` of document ``rows`` at ``labels`` on, a new last
    axis over the labels they lead to. rows, t and labels broadcast against each other."""
    if transitions.dim() == 4:
        return transitions[rows, t, labels]
    return transitions[labels]
