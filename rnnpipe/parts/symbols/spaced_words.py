"""``rnnpipe.SpacedWords.v1``: a symbol is a word or a mark, with the space before it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from rnnpipe.contracts.registry import symbols
from rnnpipe.contracts.types import DocLike, PositiveInt, Symbols
from rnnpipe.parts.symbols.characters import character_counts
from rnnpipe.parts.symbols.numbering import Listing, most_frequent_first

#: Every character of a text is in exactly one match.
_PIECE = re.compile(r" ?(?:\w+|[^\w\s])|\s")


@symbols("rnnpipe.SpacedWords.v1")
@dataclass(frozen=True)
class SpacedWords:
    """Runs of letters and digits, and single other characters, each with the space before it, so
    that what is read is written exactly: ``" Don"``, ``"'"``, ``"t"``, ``" go"``, ``"!"``. A text
    is read as if a space stood before it. The pipeline's tokenizer has no say.

    min_count: a symbol that occurs less often in the training text is the unknown symbol.
    """

    min_count: PositiveInt = 2

    def measure(self, docs: Iterable[DocLike]) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        for doc in docs:
            counts.update(_split(doc.text))
        return {"spaced_words": most_frequent_first(counts, self.min_count)}

    def build(self, facts: dict[str, Any]) -> Symbols:
        return SpacedWordSymbols(facts["spaced_words"])


class SpacedWordSymbols:
    def __init__(self, words: list[str]) -> None:
        self.words = words
        self._number = Listing(words)

    def __len__(self) -> int:
        return len(self.words) + 2

    def read(self, doc: DocLike) -> np.ndarray:
        return self.encode(doc.text)

    def owners(self, doc: DocLike) -> np.ndarray:
        """Return the token of each symbol's last character."""
        owner = np.repeat(np.arange(len(doc)), character_counts(doc))
        ends = np.array([*accumulate(map(len, _split(doc.text)))], dtype=np.int64)
        # Before the text stands a space that it does not have.
        return owner[(ends - 2).clip(min=0)] if len(ends) else owner

    def encode(self, text: str) -> np.ndarray:
        return self._number(_split(text))

    def unknown(self, text: str) -> list[str]:
        return self._number.unknown(_split(text))

    def pieces(self, doc: DocLike) -> list[str]:
        return _split(doc.text)

    def writer(self) -> Callable[[int], str]:
        return _Writer(["", " \ufffd", *self.words])


def _split(text: str) -> list[str]:
    return _PIECE.findall(" " + text) if text else []


class _Writer:
    """Leaves out the space before the text."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._begun = False

    def __call__(self, symbol: int) -> str:
        word = self._words[symbol]
        if self._begun or not word:
            return word
        self._begun = True
        return word.removeprefix(" ")
