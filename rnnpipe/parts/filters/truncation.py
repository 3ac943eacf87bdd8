"""Filters that keep the most likely symbols."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnpipe.contracts.registry import filters
from rnnpipe.contracts.types import Alphabet, Filter, PositiveInt, PositiveShare
from rnnpipe.errors import SettingsError, expected


@filters("rnnpipe.TopK.v1")
@dataclass(frozen=True)
class TopK:
    """Keep the k most likely symbols (Fan et al. 2018)."""

    k: PositiveInt

    def __call__(self, alphabet: Alphabet) -> Filter:
        if self.k > alphabet.size:
            want = f"at most the number of symbols ({alphabet.size})"
            do = "Lower k or remove it."
            raise SettingsError(expected("rnnpipe.TopK.v1.k", want, self.k, do))
        return self._filter

    def _filter(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        values, symbols = log_probabilities.topk(self.k)
        return torch.full_like(log_probabilities, -torch.inf).scatter(-1, symbols, values)


@filters("rnnpipe.TopP.v1")
@dataclass(frozen=True)
class TopP:
    """Nucleus sampling (Holtzman et al. 2020): keep the fewest symbols, the most likely first,
    whose probabilities add up to p or more."""

    p: PositiveShare

    def __call__(self, alphabet: Alphabet) -> Filter:
        return self._filter

    def _filter(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        return _keep_mass(log_probabilities, -log_probabilities, self.p)


@filters("rnnpipe.MinP.v1")
@dataclass(frozen=True)
class MinP:
    """Keep the symbols at least p times as likely as the most likely one (Nguyen et al. 2024)."""

    p: PositiveShare

    def __call__(self, alphabet: Alphabet) -> Filter:
        return self._filter

    def _filter(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        least = log_probabilities.amax(-1, keepdim=True) + math.log(self.p)
        return log_probabilities.masked_fill(log_probabilities < least, -torch.inf)


@filters("rnnpipe.Typical.v1")
@dataclass(frozen=True)
class Typical:
    """Locally typical sampling (Meister et al. 2022): keep the fewest symbols whose probabilities
    add up to p or more, those first whose surprise ``-log p(x)`` is nearest to the entropy."""

    p: PositiveShare

    def __call__(self, alphabet: Alphabet) -> Filter:
        return self._filter

    def _filter(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        normalized = log_probabilities.log_softmax(-1)
        entropy = torch.special.entr(normalized.exp()).sum(-1, keepdim=True)
        return _keep_mass(log_probabilities, (normalized + entropy).abs(), self.p)


def _keep_mass(log_probabilities: Tensor, order: Tensor, mass: float) -> Tensor:
    """Exclude all but the first symbols, in ascending order, whose probabilities reach ``mass``."""
    symbols = order.argsort(dim=-1, stable=True)
    ranked = log_probabilities.softmax(-1).gather(-1, symbols)
    before = ranked.cumsum(-1) - ranked
    before[..., 0] = 0.0  # rounding must not exclude the first
    excluded = torch.zeros_like(before, dtype=torch.bool).scatter(-1, symbols, before >= mass)
    return log_probabilities.masked_fill(excluded, -torch.inf)
