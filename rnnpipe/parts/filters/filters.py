"""Filters: what may come next, and how likely, given the symbols so far.

Each is registered in ``rnnpipe_filters``. A registered function returns a builder that is given the
alphabet later; what that returns maps log-probabilities ``(..., V)`` and history ``(..., t)`` to
log-probabilities, -inf where a symbol is excluded (:class:`rnnpipe.contracts.types.Filter`).
"""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from rnnpipe.contracts.registry import filters
from rnnpipe.contracts.types import Alphabet, FilterBuilder, Phrase, PositiveInt, PositiveShare
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.decoders.generation.phrases import encode


@filters("rnnpipe.TopK.v1")
def TopK(k: PositiveInt) -> FilterBuilder:
    """Keep the k most likely symbols (Fan et al. 2018)."""
    return partial(TopKFilter, k=k)


class TopKFilter:
    def __init__(self, alphabet: Alphabet, k: int) -> None:
        if k > alphabet.size:
            want = f"at most the number of symbols ({alphabet.size})"
            raise SettingsError(expected("rnnpipe.TopK.v1.k", want, k, "Lower k or leave it out."))
        self.k = k

    def __call__(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        values, symbols = log_probabilities.topk(self.k)
        return torch.full_like(log_probabilities, -torch.inf).scatter(-1, symbols, values)


@filters("rnnpipe.TopP.v1")
def TopP(p: PositiveShare) -> FilterBuilder:
    """Nucleus sampling (Holtzman et al. 2020): keep the fewest symbols, the most likely first,
    whose probabilities add up to p or more."""
    return partial(TopPFilter, p=p)


class TopPFilter:
    def __init__(self, alphabet: Alphabet, p: float) -> None:
        self.p = p

    def __call__(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        return _keep_mass(log_probabilities, -log_probabilities, self.p)


@filters("rnnpipe.MinP.v1")
def MinP(p: PositiveShare) -> FilterBuilder:
    """Keep the symbols at least p times as likely as the most likely one (Nguyen et al. 2024)."""
    return partial(MinPFilter, p=p)


class MinPFilter:
    def __init__(self, alphabet: Alphabet, p: float) -> None:
        self.log_p = math.log(p)

    def __call__(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        least = log_probabilities.amax(-1, keepdim=True) + self.log_p
        return log_probabilities.masked_fill(log_probabilities < least, -torch.inf)


@filters("rnnpipe.Typical.v1")
def Typical(p: PositiveShare) -> FilterBuilder:
    """Locally typical sampling (Meister et al. 2022): keep the fewest symbols whose probabilities
    add up to p or more, those first whose surprise ``-log p(x)`` is nearest to the entropy."""
    return partial(TypicalFilter, p=p)


class TypicalFilter:
    def __init__(self, alphabet: Alphabet, p: float) -> None:
        self.p = p

    def __call__(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
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


@filters("rnnpipe.RepetitionPenalty.v1")
def RepetitionPenalty(
    penalty: Annotated[float, Field(ge=1.0, allow_inf_nan=False)],
) -> FilterBuilder:
    """Raise the probability of each symbol that the text already holds to the power ``penalty``.

    Keskar et al. (2019) divide logits, whose zero is arbitrary; log-probabilities are at most 0, so
    that multiplying them lowers every one. 1.2 is their value.
    """
    return partial(RepetitionPenaltyFilter, penalty=penalty)


class RepetitionPenaltyFilter:
    def __init__(self, alphabet: Alphabet, penalty: float) -> None:
        self.penalty = penalty

    def __call__(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        seen = torch.zeros_like(log_probabilities, dtype=torch.bool).scatter(-1, history, True)
        return torch.where(seen, log_probabilities * self.penalty, log_probabilities)


@filters("rnnpipe.NoRepeat.v1")
def NoRepeat(n: PositiveInt) -> FilterBuilder:
    """No n symbols in a row come a second time (Paulus et al. 2018)."""
    return partial(NoRepeatFilter, n=n)


class NoRepeatFilter:
    def __init__(self, alphabet: Alphabet, n: int) -> None:
        self.n = n

    def __call__(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
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


@filters("rnnpipe.Forbidden.v1")
def Forbidden(phrases: list[Phrase]) -> FilterBuilder:
    """None of these phrases comes: its last symbol is excluded after the others."""
    return partial(ForbiddenFilter, phrases=phrases)


class ForbiddenFilter:
    def __init__(self, alphabet: Alphabet, phrases: list[Phrase]) -> None:
        where = "rnnpipe.Forbidden.v1.phrases"
        self.phrases = [encode(phrase, alphabet, where) for phrase in phrases]
        if len({phrase for phrase in self.phrases if len(phrase) == 1}) == alphabet.size:
            want = "fewer than all symbols of the model"
            raise SettingsError(expected(where, want, phrases, "Leave at least one symbol."))

    def __call__(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        allowed = log_probabilities.clone()
        for *begin, last in self.phrases:
            begun = _ends_with(history, begin)
            allowed[..., last] = allowed[..., last].masked_fill(begun, -torch.inf)
        return allowed


@filters("rnnpipe.Forced.v1")
def Forced(phrase: Phrase) -> FilterBuilder:
    """The text begins with this phrase."""
    return partial(ForcedFilter, phrase=phrase)


class ForcedFilter:
    def __init__(self, alphabet: Alphabet, phrase: Phrase) -> None:
        self.phrase = encode(phrase, alphabet, "rnnpipe.Forced.v1.phrase")

    def __call__(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        length = history.shape[-1]
        if length >= len(self.phrase):
            return log_probabilities
        forced = torch.full_like(log_probabilities, -torch.inf)
        symbol = self.phrase[length]
        forced[..., symbol] = log_probabilities[..., symbol]
        return forced


def _ends_with(history: Tensor, phrase: list[int]) -> Tensor:
    """``(...)`` bool: whether the last symbols are these."""
    if history.shape[-1] < len(phrase):
        return history.new_zeros(history.shape[:-1], dtype=torch.bool)
    wanted = torch.tensor(phrase, dtype=torch.int64, device=history.device)
    return (history[..., history.shape[-1] - len(phrase) :] == wanted).all(-1)
