"""Phrases of settings as symbols, and where the symbols of a text end it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpipe.contracts.types import Alphabet, Ending, Phrase
from rnnpipe.errors import SettingsError, expected

Symbols = tuple[int, ...]


def encode(phrase: Phrase, alphabet: Alphabet, where: str) -> Symbols:
    """A phrase's symbols. Raises SettingsError if it has none, or one that the alphabet has not."""
    try:
        found = alphabet.encode(phrase) if isinstance(phrase, str) else phrase
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from None
    symbols = tuple(int(symbol) for symbol in found)
    if not symbols:
        raise SettingsError(expected(where, "at least one symbol", phrase))
    if max(symbols) >= alphabet.size:
        want = f"symbols below {alphabet.size}, the number of symbols of the model"
        raise SettingsError(expected(where, want, phrase))
    return symbols


@dataclass(frozen=True)
class Limits:
    """What settings say about the end of a text."""

    min_length: int
    max_length: int
    stop: list[Phrase] | None


@dataclass(frozen=True)
class Endings:
    """What ends a text: the end symbol, a stop phrase (which stays part of it), or its length.

    end: the end symbol, impossible while there are fewer than ``min_length`` symbols before it.
    stop: phrases; they do not end a text of fewer than ``min_length`` symbols.
    max_length: the most symbols, the end symbol included.
    """

    end: int | None
    stop: tuple[Symbols, ...]
    min_length: int
    max_length: int

    @classmethod
    def of(cls, alphabet: Alphabet, limits: Limits, where: str) -> Endings:
        """Raises SettingsError if the lengths contradict each other or have no effect."""
        shortest, longest = limits.min_length, limits.max_length
        setting = f"{where}.min_length"
        if shortest > longest:
            want = f"at most max_length ({longest})"
            do = "Lower min_length or raise max_length."
            raise SettingsError(expected(setting, want, shortest, do))
        phrases = tuple(encode(phrase, alphabet, f"{where}.stop") for phrase in limits.stop or ())
        if shortest and alphabet.end is None and not phrases:
            want = "0 for a model without an end symbol, whose texts all have max_length symbols"
            raise SettingsError(expected(setting, want, shortest, "Remove it or set stop."))
        return cls(alphabet.end, phrases, shortest, longest)

    @property
    def count(self) -> int:
        """The most symbols that can end a text at once."""
        return (self.end is not None) + len(self.stop)

    def of_text(self, text: list[int]) -> Ending | None:
        """Why this text is over, or ``None`` if it goes on."""
        if text[-1] == self.end:
            return "end"
        if len(text) >= self.min_length and any(
            text[-len(phrase) :] == [*phrase] for phrase in self.stop
        ):
            return "stop"
        return "length" if len(text) == self.max_length else None

    def are_over(
        self, symbols: np.ndarray, texts: np.ndarray, rows: np.ndarray, length: int
    ) -> np.ndarray:
        """``(...)`` bool: whether these texts of ``length`` symbols are over, as :meth:`of_text`.

        symbols: ``(...)``, their last ones. texts: ``(N, length - 1)`` or wider, what comes before,
            which is read for stop phrases only. rows: ``(...)``, which of the texts does.
        """
        if length == self.max_length:
            return np.ones(symbols.shape, dtype=bool)
        is_over: np.ndarray = symbols == (-1 if self.end is None else self.end)
        if length >= self.min_length:
            for *begin, last in self.stop:
                if length > len(begin):
                    before = texts[rows, length - 1 - len(begin) : length - 1]  # (..., n)
                    is_over |= (before == begin).all(-1) & (symbols == last)
        return is_over

    def forbidden(self, length: int) -> int | None:
        """Return the symbol that may not follow a text of this length."""
        return self.end if length < self.min_length else None


def without_end(text: list[int], ended: Ending) -> list[int]:
    """Return the symbols that are text."""
    return text[:-1] if ended == "end" else text
