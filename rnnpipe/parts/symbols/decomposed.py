"""``rnnpipe.DecomposedCharacters.v1``: a symbol is a letter, an accent or a part of a syllable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from unicodedata import normalize

import numpy as np

from rnnpipe.contracts.registry import symbols
from rnnpipe.contracts.types import UNKNOWN, DocLike, PositiveInt, Symbols
from rnnpipe.parts.symbols.characters import CharacterSymbols
from rnnpipe.parts.symbols.numbering import most_frequent_first


@symbols("rnnpipe.DecomposedCharacters.v1")
@dataclass(frozen=True)
class DecomposedCharacters:
    """The characters of a document's text, each decomposed as Unicode's form NFD has it: a Hangul
    syllable into its letters, an accented letter into the letter and the accents. Scripts with many
    characters of few parts have few symbols that way. What is written is decomposed too.

    min_count: a part that occurs less often in the training text is the unknown symbol.
    """

    min_count: PositiveInt = 1

    def measure(self, docs: Iterable[DocLike]) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        for doc in docs:
            counts.update(decompose(doc.text))
        return {"characters": most_frequent_first(counts, self.min_count)}

    def build(self, facts: dict[str, Any]) -> Symbols:
        return DecomposedCharacterSymbols(facts["characters"])


class DecomposedCharacterSymbols(CharacterSymbols):
    def owners(self, doc: DocLike) -> np.ndarray:
        sizes = np.array([len(_parts(character)) for character in doc.text], dtype=np.int64)
        return np.repeat(super().owners(doc), sizes)

    def encode(self, text: str) -> np.ndarray:
        return super().encode(decompose(text))

    def unknown(self, text: str) -> list[str]:
        parts = decompose(text)
        return [parts[i] for i in np.flatnonzero(self.encode(text) == UNKNOWN)]

    def pieces(self, doc: DocLike) -> list[str]:
        return list(decompose(doc.text))


def decompose(text: str) -> str:
    """Character by character: accents stay in the order in which they are written."""
    return "".join(map(_parts, text))


@lru_cache(maxsize=65536)
def _parts(character: str) -> str:
    return normalize("NFD", character)
