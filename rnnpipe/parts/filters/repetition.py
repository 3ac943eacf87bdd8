"""Filters against repetition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from rnnpipe.contracts.registry import filters
from rnnpipe.contracts.types import Alphabet, Filter, PositiveInt


@filters("rnnpipe.RepetitionPenalty.v1")
@dataclass(frozen=True)
class RepetitionPenalty:
    """Raise the probability of each symbol that the text already holds to the power ``penalty``.

    Keskar et al. (2019) divide logits, whose zero is arbitrary; log-probabilities are at most 0, so
    that multiplying them lowers every one. 1.2 is their value.
    """

    penalty: Annotated[float, Field(ge=1.0, allow_inf_nan=False)]

    def __call__(self, alphabet: Alphabet) -> Filter:
        return self._filter

    def _filter(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        seen = torch.zeros_like(log_probabilities, dtype=torch.bool).scatter(-1, history, True)
        return torch.where(seen, log_probabilities * self.penalty, log_probabilities)


@filters("rnnpipe.NoRepeat.v1")
@dataclass(frozen=True)
class NoRepeat:
    """No n symbols in a row come a second time (Paulus et al. 2018)."""

    n: PositiveInt

    def __call__(self, alphabet: Alphabet) -> Filter:
        return self._filter

    def _filter(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        length = history.shape[-1]
        if length < self.n:
            return log_probabilities
        grams = history.unfold(-1, self.n, 1)  # (..., t - n + 1, n)
        latest = history[..., length - self.n + 1 :].unsqueeze(-2)  # (..., 1, n - 1)
        begun = (grams[..., :-1] == latest).all(-1)
        # What must not come stands at its own place; everything else at one that is cut off.
        size = log_probabilities.shape[-1]
        last = torch.where(begun, grams[..., -1], size)
        excluded = log_probabilities.new_zeros(*log_probabilities.shape[:-1], size + 1)
        excluded = excluded.scatter(-1, last, 1.0)[..., :size]
        return log_probabilities.masked_fill(excluded > 0, -torch.inf)
