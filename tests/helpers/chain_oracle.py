"""Linear chains by enumeration of every label sequence: slow, short and easy to believe."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch

from rnnpipe.parts.decoders.chain.potentials import Chain
from rnnpipe.structures import Sequences


@dataclass
class Oracle:
    """Every sequence of one document with its score, and the sums over them."""

    chain: Chain
    row: int

    def __post_init__(self) -> None:
        self.length = int(self.chain.structure.lengths[self.row])
        self.n_labels = self.chain.emissions.shape[2]
        paths = itertools.product(range(self.n_labels), repeat=self.length)
        self.scores = {path: self.score(path) for path in paths}
        best = max(self.scores.values())
        if best == -math.inf:
            self.log_partition = best
        else:
            total = math.fsum(math.exp(score - best) for score in self.scores.values())
            self.log_partition = best + math.log(total)

    def score(self, path: tuple[int, ...]) -> float:
        chain, row = self.chain, self.row
        if not path:
            return 0.0
        total = [chain.start[path[0]].item(), chain.end[path[-1]].item()]
        total += [chain.emissions[row, t, label].item() for t, label in enumerate(path)]
        for t, (before, after) in enumerate(itertools.pairwise(path)):
            step = chain.transitions[row, t] if chain.by_step else chain.transitions
            total.append(step[before, after].item())
        return math.fsum(total)

    def probability(self, path: tuple[int, ...]) -> float:
        score = self.scores[path]
        return math.exp(score - self.log_partition) if score > -math.inf else 0.0

    def marginals(self) -> np.ndarray:
        """``(T, L)``"""
        table = np.zeros((self.chain.structure.size, self.n_labels))
        for path in self.scores:
            for t, label in enumerate(path):
                table[t, label] += self.probability(path)
        return table

    def pairs(self) -> np.ndarray:
        """``(T - 1, L, L)``"""
        table = np.zeros((max(self.chain.structure.size - 1, 0), self.n_labels, self.n_labels))
        for path in self.scores:
            for t, (before, after) in enumerate(itertools.pairwise(path)):
                table[t, before, after] += self.probability(path)
        return table

    def ranked(self) -> list[tuple[tuple[int, ...], float]]:
        """The possible sequences and their log-probabilities, best first."""
        found = [(p, s - self.log_partition) for p, s in self.scores.items() if s > -math.inf]
        return sorted(found, key=lambda item: -item[1])


def oracles(chain: Chain) -> list[Oracle]:
    return [Oracle(chain, row) for row in range(chain.structure.batch_size)]


def random_chain(
    lengths: list[int],
    n_labels: int,
    seed: int = 0,
    scale: float = 2.0,
    forbid: float = 0.0,
    by_step: bool = False,
    dtype: torch.dtype = torch.float64,
) -> Chain:
    """Normal scores times ``scale``; a share ``forbid`` of the transitions, and one label at either
    end, forbidden. Every document has a possible sequence."""
    generator = torch.Generator().manual_seed(seed)
    size, batch = max(lengths, default=0), len(lengths)

    def normal(*shape: int) -> torch.Tensor:
        return (torch.randn(*shape, generator=generator, dtype=torch.float64) * scale).to(dtype)

    shape = (batch, max(size - 1, 0), n_labels, n_labels) if by_step else (n_labels, n_labels)
    transitions, start, end = normal(*shape), normal(n_labels), normal(n_labels)
    banned = torch.rand(n_labels, n_labels, generator=generator) < forbid
    banned[0, 0] = False
    transitions = transitions.masked_fill(banned, -torch.inf)
    if forbid:
        start[-1], end[-1] = -torch.inf, -torch.inf
    return Chain(normal(batch, size, n_labels), transitions, start, end, Sequences.of(lengths))


def requiring_grad(chain: Chain) -> Chain:
    emissions, transitions, start, end = (s.clone().requires_grad_() for s in chain.scores)
    return Chain(emissions, transitions, start, end, chain.structure)
