"""``acme.Lowercase.v1``: characters in lower case as symbols."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnpipe.api import UNKNOWN, DocLike, PositiveInt, Symbols, SymbolsBuilder, symbols


@symbols("acme.Lowercase.v1")
def Lowercase(min_count: PositiveInt = 1) -> SymbolsBuilder:
    """The characters of a document's text in lower case, the spaces between tokens included: fewer
    symbols, each of them more frequent.

    min_count: characters that are less frequent in the training text become the unknown symbol.
    """
    return LowercaseBuilder(min_count)


@dataclass(frozen=True)
class LowercaseBuilder:
    min_count: int

    def measure(self, docs: Iterable[DocLike]) -> dict[str, Any]:
        """What the data decides: the characters, the most frequent first."""
        counts = Counter(character for doc in docs for character in lower(doc.text))
        frequent = [item for item in counts.items() if item[1] >= self.min_count]
        return {"characters": [c for c, _ in sorted(frequent, key=lambda item: (-item[1], item))]}

    def build(self, facts: dict[str, Any]) -> Symbols:
        return LowercaseSymbols(facts["characters"])


class LowercaseSymbols:
    """0 begins and ends a text, 1 is an unknown character; ``characters`` follow."""

    def __init__(self, characters: list[str]) -> None:
        self.written = ["", "\ufffd", *characters]
        self.numbers = {character: i for i, character in enumerate(self.written) if i > UNKNOWN}

    def __len__(self) -> int:
        return len(self.written)

    def read(self, doc: DocLike) -> np.ndarray:
        return self.encode(doc.text)

    def owners(self, doc: DocLike) -> np.ndarray:
        """The token of each symbol; the space after a token is its own."""
        lengths = doc.to_array(["LENGTH", "SPACY"]).reshape(-1, 2).astype(np.int64).sum(1)
        return np.repeat(np.arange(len(doc)), lengths)

    def encode(self, text: str) -> np.ndarray:
        numbers = [self.numbers.get(character, UNKNOWN) for character in lower(text)]
        return np.array(numbers, dtype=np.int64)

    def unknown(self, text: str) -> list[str]:
        return [character for character in lower(text) if character not in self.numbers]

    def pieces(self, doc: DocLike) -> list[str]:
        return list(doc.text)

    def writer(self) -> Callable[[int], str]:
        return self.written.__getitem__


def lower(text: str) -> str:
    """Return a text of the same length: what has no small letter of its own stays."""
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
