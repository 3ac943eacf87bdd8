"""``rnnpipe.Characters.v1``: a symbol is a Unicode character."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnpipe.contracts.registry import symbols
from rnnpipe.contracts.types import UNKNOWN, DocLike, PositiveInt, Symbols
from rnnpipe.parts.symbols.numbering import Numbering, most_frequent_first


@symbols("rnnpipe.Characters.v1")
@dataclass(frozen=True)
class Characters:
    """The characters of a document's text, the spaces between tokens included.

    min_count: a character that occurs less often in the training text is the unknown symbol.
    """

    min_count: PositiveInt = 1

    def measure(self, docs: Iterable[DocLike]) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        for doc in docs:
            counts.update(doc.text)
        return {"characters": most_frequent_first(counts, self.min_count)}

    def build(self, facts: dict[str, Any]) -> Symbols:
        return CharacterSymbols(facts["characters"])


class CharacterSymbols:
    def __init__(self, characters: list[str]) -> None:
        self.characters = characters
        self._number = Numbering(code_points("".join(characters)))

    def __len__(self) -> int:
        return len(self.characters) + 2

    def read(self, doc: DocLike) -> np.ndarray:
        return self.encode(doc.text)

    def owners(self, doc: DocLike) -> np.ndarray:
        return np.repeat(np.arange(len(doc)), character_counts(doc))

    def encode(self, text: str) -> np.ndarray:
        return self._number(code_points(text))

    def unknown(self, text: str) -> list[str]:
        return [text[i] for i in np.flatnonzero(self.encode(text) == UNKNOWN)]

    def pieces(self, doc: DocLike) -> list[str]:
        return list(doc.text)

    def writer(self) -> Callable[[int], str]:
        return ["", "\ufffd", *self.characters].__getitem__


def code_points(text: str) -> np.ndarray:
    """``(N,)`` uint32; half of a surrogate pair counts as a character, as in Python."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def character_counts(doc: DocLike) -> np.ndarray:
    """``(T,)`` the characters of each token, the space after it included."""
    if not len(doc):
        return np.zeros(0, dtype=np.int64)
    columns = doc.to_array(["LENGTH", "SPACY"]).astype(np.int64)
    total: np.ndarray = columns.sum(1)
    return total
