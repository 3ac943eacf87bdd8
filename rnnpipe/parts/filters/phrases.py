"""Filters that forbid or force phrases."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from rnnpipe.contracts.registry import filters
from rnnpipe.contracts.types import Alphabet, FilterBuilder, Phrase
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.decoders.generation.phrases import encode


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
            raise SettingsError(expected(where, want, phrases, "Allow at least one symbol."))

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
