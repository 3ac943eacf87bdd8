"""``rnnpipe.Words.v1``: a symbol is a token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnpipe.contracts.registry import symbols
from rnnpipe.contracts.types import DocLike, PositiveInt, Symbols
from rnnpipe.parts.symbols.numbering import Listing, Numbering, most_frequent_first


@symbols("rnnpipe.Words.v1")
@dataclass(frozen=True)
class Words:
    """The tokens of a document as they are written; whether a space follows is not modelled.

    A text given as a string, such as a prompt, is split at spaces; a line break is a token of its
    own. For the pipeline's tokenizer, make a Doc of it. Generated words are written with spaces
    between them, except at line breaks.

    min_count: a word that occurs less often in the training text is the unknown symbol.
    """

    min_count: PositiveInt = 2

    def measure(self, docs: Iterable[DocLike]) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        for doc in docs:
            if len(doc):
                strings = doc.vocab.strings
                keys, times = np.unique(doc.to_array("ORTH"), return_counts=True)
                for key, n in zip(keys.tolist(), times.tolist(), strict=True):
                    counts[strings[key]] += n
        return {"words": most_frequent_first(counts, self.min_count)}

    def build(self, facts: dict[str, Any]) -> Symbols:
        return WordSymbols(facts["words"])


class WordSymbols:
    def __init__(self, words: list[str]) -> None:
        self.words = words
        self._number = Listing(words)
        self._by_hash: Numbering | None = None

    def __len__(self) -> int:
        return len(self.words) + 2

    def read(self, doc: DocLike) -> np.ndarray:
        if self._by_hash is None:  # hashes are the same in every vocabulary
            hashes = [doc.vocab.strings.as_int(word) for word in self.words]
            self._by_hash = Numbering(np.array(hashes, dtype=np.uint64))
        return self._by_hash(doc.to_array("ORTH").reshape(len(doc)))

    def owners(self, doc: DocLike) -> np.ndarray:
        return np.arange(len(doc))

    def encode(self, text: str) -> np.ndarray:
        return self._number(_split(text))

    def unknown(self, text: str) -> list[str]:
        return self._number.unknown(_split(text))

    def pieces(self, doc: DocLike) -> list[str]:
        strings = doc.vocab.strings
        return [strings[key] for key in doc.to_array("ORTH").reshape(len(doc)).tolist()]

    def writer(self) -> Callable[[int], str]:
        return _Writer(["", "\ufffd", *self.words])


def _split(text: str) -> list[str]:
    return [word for word in text.replace("\n", " \n ").split(" ") if word]


class _Writer:
    """Writes words with spaces between them, but not around white space."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._at_break = True

    def __call__(self, symbol: int) -> str:
        word = self._words[symbol]
        is_break = word.isspace() or not word
        space = "" if is_break or self._at_break else " "
        self._at_break = is_break
        return space + word
