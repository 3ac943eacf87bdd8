"""The scores that define a linear-chain distribution, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

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

    @property
    def scores(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Emissions, transitions, start and end."""
        return self.emissions, self.transitions, self.start, self.end

    def double(self) -> Chain:
        """Return the same scores in float64, where the device has it."""
        if self.emissions.device.type == "mps":
            return self
        emissions, transitions, start, end = (score.double() for score in self.scores)
        return Chain(emissions, transitions, start, end, self.structure)

    def only(self, possible: Tensor) -> Chain:
        """Return the chain without the labels that are not ``possible`` (``(B, T, L)`` bool)."""
        excluded = ~possible & self.structure.mask.unsqueeze(2)
        return replace(self, emissions=self.emissions.masked_fill(excluded, -torch.inf))

    def close(self) -> ClosedChain:
        """Return the same distribution without lengths; see :class:`ClosedChain`."""
        batch, size, n_labels = self.emissions.shape
        there = self.structure.mask.T.unsqueeze(2)  # (T, B, 1)
        emissions = self.emissions.new_full((size + 1, batch, n_labels + 1), -torch.inf)
        emissions[:size, :, :-1] = torch.where(there, self.emissions.transpose(0, 1), -torch.inf)
        emissions[:size, :, -1:] = torch.where(there, -torch.inf, 0.0)
        emissions[size, :, -1] = 0.0
        steps = (size, batch) if self.by_step else ()
        transitions = self.end.new_full((*steps, n_labels + 1, n_labels + 1), -torch.inf)
        if self.by_step:
            transitions[: size - 1, :, :-1, :-1] = self.transitions.transpose(0, 1)
        else:
            transitions[:-1, :-1] = self.transitions
        transitions[..., :-1, -1] = self.end
        transitions[..., -1, -1] = 0.0
        return ClosedChain(emissions, transitions, torch.cat([self.start, self.end.new_zeros(1)]))

    def close_path(self, path: Tensor) -> Tensor:
        """``(B, T)`` label ids, anything at padding, to ``(T + 1, B)`` ids of the closed chain."""
        over = self.end.shape[0]
        return F.pad(path.masked_fill(~self.structure.mask, over).T, (0, 0, 0, 1), value=over)


@dataclass(frozen=True)
class ClosedChain:
    """A chain whose documents all have T + 1 nodes, time first.

    One more label, the last, stands for "the document is over". It is the only possible label from
    a document's length on, and impossible before; the score of a document's end is that of the step
    to it. So what follows knows neither lengths nor masks, and a document without nodes is one like
    any other.

    emissions: ``(T + 1, B, L + 1)``.
    transitions: ``(L + 1, L + 1)`` or ``(T, B, L + 1, L + 1)``.
    start: ``(L + 1,)``.
    """

    emissions: Tensor
    transitions: Tensor
    start: Tensor

    @property
    def by_step(self) -> bool:
        """Whether each step has transitions of its own."""
        return self.transitions.dim() == 4

    def step(self, t: int) -> Tensor:
        """Return the transitions from node t to node t + 1: ``(L + 1, L + 1)`` or with
        ``(B, ...)``."""
        return self.transitions[t] if self.by_step else self.transitions

    def steps_from(self, t: Tensor | int, rows: Tensor, labels: Tensor) -> Tensor:
        """Return the scores of the steps from node ``t`` of document ``rows`` at ``labels`` on: a
        new last axis over the labels they lead to. t, rows and labels broadcast against each other.
        """
        return self.transitions[t, rows, labels] if self.by_step else self.transitions[labels]

    def steps_to(self, t: Tensor | int, rows: Tensor, labels: Tensor) -> Tensor:
        """Return the scores of the steps from node ``t`` that lead to ``labels``, in the same
        way."""
        transposed = self.transitions.transpose(-1, -2)
        return transposed[t, rows, labels] if self.by_step else transposed[labels]

    def pairs_of(self, path: Tensor) -> Tensor:
        """``(T, B)`` the positions of a path's steps in flattened ``[from, to]`` scores."""
        return path[:-1] * self.start.shape[0] + path[1:]

    def score(self, path: Tensor) -> Tensor:
        """``score(y)``, ``(B,)``, of one sequence a document, ``(T + 1, B)``."""
        emitted = self.emissions.gather(2, path.unsqueeze(2)).squeeze(2)
        pairs = self.pairs_of(path)
        if self.by_step:
            moved = self.transitions.flatten(2).gather(2, pairs.unsqueeze(2)).squeeze(2)
        else:
            moved = self.transitions.flatten()[pairs]
        return self.start[path[0]] + emitted.sum(0) + moved.sum(0)
