"""Phrases of settings as symbols, and where the symbols of a text end it."""

from __future__ import annotations

from dataclasses import dataclass

from rnnpipe.errors import SettingsError, expected
from rnnpipe.types import Alphabet, Ending, Phrase

Symbols = tuple[int, ...]


def encode(phrase: Phrase, alphabet: Alphabet, where: str) -> Symbols:
    """A phrase's symbols. Raises SettingsError if it has none, or one that the alphabet has not."""
    found = alphabet.encode(phrase) if isinstance(phrase, str) else phrase
    symbols = tuple(int(symbol) for symbol in found)
    if not symbols:
        raise SettingsError(expected(where, "at least one symbol", phrase))
    if max(symbols) >= alphabet.size:
        want = f"symbols below {alphabet.size}, the number that the model knows"
        raise SettingsError(expected(where, want, phrase))
    return symbols


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
    def of(
        cls,
        alphabet: Alphabet,
        stop: list[Phrase] | None,
        min_length: int,
        max_length: int,
        where: str,
    ) -> Endings:
        """Raises SettingsError if the lengths contradict each other or have no effect."""
        check_lengths(min_length, max_length, f"{where}.min_length")
        phrases = tuple(encode(phrase, alphabet, f"{where}.stop") for phrase in stop or ())
        if min_length and alphabet.end is None and not phrases:
            want = "0 for a model without an end symbol, whose texts all have max_length symbols"
            raise SettingsError(
                expected(f"{where}.min_length", want, min_length, "Leave it out or set stop.")
            )
        return cls(alphabet.end, phrases, min_length, max_length)

    def of_text(self, text: list[int]) -> Ending | None:
        """Why this text is over, or ``None`` if it goes on."""
        if text[-1] == self.end:
            return "end"
        if len(text) >= self.min_length and any(
            text[-len(phrase) :] == [*phrase] for phrase in self.stop
        ):
            return "stop"
        return "length" if len(text) == self.max_length else None

    def forbidden(self, length: int) -> int | None:
        """The symbol that may not follow a text of this length."""
        return self.end if length < self.min_length else None


def check_lengths(min_length: int, max_length: int, where: str) -> None:
    """Raises SettingsError if no text is long and short enough."""
    if min_length > max_length:
        raise SettingsError(
            expected(
                where,
                f"at most max_length ({max_length})",
                min_length,
                "Lower min_length or raise max_length.",
            )
        )


def without_end(text: list[int], ended: Ending) -> list[int]:
    """The symbols that are text."""
    return text[:-1] if ended == "end" else text
