"""How beams choose the hypotheses to go on with: by probability, in diverse groups, at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import torch
from torch import Tensor

from rnnpipe.parts.decoders.generation.noise import GumbelNoise


@dataclass
class Open:
    """The hypotheses that are not over, K for each of S beams.

    totals: ``(S, K)``, their log-probabilities in nats; -inf: there is none.
    values: ``(S, K)``, what no continuation of theirs can exceed.
    """

    totals: Tensor
    values: Tensor


#: Places ``row * V + symbol`` of the best continuations, the best first, their totals and their
#: values: ``(S, C)`` each.
Ranked: TypeAlias = tuple[Tensor, Tensor, Tensor]


#: S, K and V.
Shape: TypeAlias = tuple[int, int, int]


class Ranking(Protocol):
    def begin(self, totals: Tensor) -> Tensor:
        """``(S, K)``, the values of hypotheses without symbols."""
        ...

    def rank(self, hypotheses: Open, log_probabilities: Tensor, count: int) -> Ranked:
        """Return the best ``count`` continuations of each beam; K or more.

        log_probabilities: ``(S, K, V)``, of the next symbols.
        """
        ...

    def keep(self, beams: Tensor) -> None:
        """Keep only these beams."""
        ...

    def go_on(self, rows: np.ndarray, symbols: np.ndarray) -> None:
        """Go on with these hypotheses, ``(S * K)`` each: which of those before :meth:`keep`,
        counted through all beams, and by which symbols."""
        ...


#: Makes the ranking of one call.
MakeRanking: TypeAlias = Callable[[Shape, torch.device], Ranking]


class ByProbability:
    """The most likely hypotheses; a hypothesis's value is its total."""

    def __init__(self, shape: Shape, device: torch.device) -> None: ...

    def begin(self, totals: Tensor) -> Tensor:
        return totals

    def rank(self, hypotheses: Open, log_probabilities: Tensor, count: int) -> Ranked:
        scores = hypotheses.totals.unsqueeze(2) + log_probabilities  # (S, K, V)
        totals, places = scores.flatten(1).topk(count)
        return places, totals, totals

    def keep(self, beams: Tensor) -> None: ...

    def go_on(self, rows: np.ndarray, symbols: np.ndarray) -> None: ...


class InGroups:
    """Diverse beam search (Vijayakumar et al. 2018), with Hamming diversity.

    Each group chooses after those before it, and counts a continuation as ``strength`` nats less
    likely for each time that its symbol has been chosen by them at this step. Totals do not have
    this in them.
    """

    def __init__(self, shape: Shape, device: torch.device, strength: float, n_groups: int) -> None:
        self.strength = strength
        self.n_groups = n_groups
        self.beams = torch.arange(shape[0], device=device)

    def begin(self, totals: Tensor) -> Tensor:
        return totals

    def rank(self, hypotheses: Open, log_probabilities: Tensor, count: int) -> Ranked:
        n_beams, width, size = log_probabilities.shape
        totals = (hypotheses.totals.unsqueeze(2) + log_probabilities).flatten(1)  # (S, K * V)
        prompt_of, group_of = self.beams // self.n_groups, self.beams % self.n_groups  # (S,)
        # A prompt has no more beams than all prompts together; its number is its first beam's.
        numbers = torch.searchsorted(prompt_of, prompt_of)
        chosen = totals.new_zeros(n_beams, size)  # how often, by the number of the prompt
        places = torch.empty(n_beams, count, dtype=torch.int64, device=totals.device)
        for group in range(self.n_groups):
            beams = (group_of == group).nonzero().squeeze(1)
            prompts = numbers[beams]
            penalty = self.strength * chosen[prompts].repeat(1, width)  # (S', K * V)
            best = (totals[beams] - penalty).topk(count).indices
            places[beams] = best
            symbols = best[:, :width] % size
            chosen[prompts] = chosen[prompts].scatter_add(
                1, symbols, penalty.new_ones(symbols.shape)
            )
        found = totals.gather(1, places)
        return places, found, found

    def keep(self, beams: Tensor) -> None:
        self.beams = self.beams[beams]

    def go_on(self, rows: np.ndarray, symbols: np.ndarray) -> None: ...


class AtRandom:
    """Stochastic beam search (Kool et al. 2019): a sample of texts without replacement.

    A hypothesis's value is the greatest perturbed log-probability of any text that begins with it.
    The values of its continuations are drawn given that their maximum is that value.
    """

    def __init__(self, shape: Shape, device: torch.device, seed: int | None) -> None:
        n_beams, self.width, size = shape
        self.device = device
        self.noise = GumbelNoise(seed, [*range(self.width)] * n_beams, size)

    def begin(self, totals: Tensor) -> Tensor:
        """Gumbel noise: the maximum over all texts, as their probabilities add up to 1."""
        return totals + self._next()[:, 0].view(totals.shape)

    def rank(self, hypotheses: Open, log_probabilities: Tensor, count: int) -> Ranked:
        totals = hypotheses.totals.unsqueeze(2) + log_probabilities.log_softmax(-1)  # (S, K, V)
        perturbed = totals + self._next().view(totals.shape)
        values = truncate(perturbed, hypotheses.values.unsqueeze(2))
        values = values.masked_fill(totals.isneginf() | totals.isnan(), -torch.inf)
        best, places = values.flatten(1).topk(count)
        return places, totals.flatten(1).gather(1, places), best

    def keep(self, beams: Tensor) -> None:
        rows = beams.unsqueeze(1) * self.width + torch.arange(self.width, device=beams.device)
        self.noise.keep(rows.flatten().cpu().numpy())

    def go_on(self, rows: np.ndarray, symbols: np.ndarray) -> None: ...

    def _next(self) -> Tensor:
        """``(S * K, V)``."""
        return torch.from_numpy(self.noise.next()).to(self.device)


def truncate(gumbels: Tensor, maximum: Tensor) -> Tensor:
    """Gumbel variables ``(..., V)`` as they are given that their maximum is ``maximum`` (Kool et
    al. 2019, appendix B.3), in a numerically stable form."""
    below = gumbels - gumbels.amax(-1, keepdim=True)
    v = maximum - gumbels + torch.log1p(-below.exp())
    return maximum - v.clamp(min=0.0) - torch.log1p((-v.abs()).exp())
