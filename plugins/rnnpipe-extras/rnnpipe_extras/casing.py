"""``extras.Casing.v1``: how a word is written, learned apart from which word it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, nn

from rnnpipe.api import Builder, EmbeddingBuilder, Features, PositiveInt, Words, embeddings

#: Of the letters: none, all small, all capitals, the first alone a capital, any other mixture.
CASINGS = 5


@embeddings("extras.Casing.v1")
def Casing(width: PositiveInt = 8) -> EmbeddingBuilder:
    """A learned vector for each way to write a word (Collobert et al. 2011, Natural Language
    Processing (Almost) from Scratch, section 3.3): its capitals, and whether it has a digit.
    Beside vectors of lower-cased words, which know nothing of it.

    width: of the vectors.
    """
    return Builder(partial(CasingEmbedding, width=width))


class CasingEmbedding(nn.Module):
    """``e(w) = table[casing(w) + 5 digit(w)]``."""

    lexical = True

    def __init__(self, width: int) -> None:
        super().__init__()
        self.n_out = width
        self.table = nn.Embedding(2 * CASINGS, width)

    def initialize(self, vocab: Any) -> None:
        """Nothing comes from elsewhere."""

    def featurize(self, items: Words) -> Features:
        """``rows``: ``(U,)`` int64."""
        return {"rows": np.array([row_of(text) for text in items.texts()], dtype=np.int64)}

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """``(U, width)``."""
        vectors: Tensor = self.table(features["rows"])
        return vectors


def row_of(text: str) -> int:
    """The row of a word.

    >>> [row_of(text) for text in (".", "word", "UN", "Berlin", "iPhone", "24", "Mi6")]
    [0, 1, 2, 3, 4, 5, 8]
    """
    letters = [c for c in text if c.isalpha()]
    if not letters:
        casing = 0
    elif text == text.lower():
        casing = 1
    elif len(letters) > 1 and text == text.upper():
        casing = 2
    elif text[:1].isupper() and text[1:] == text[1:].lower():
        casing = 3
    else:
        casing = 4
    return casing + CASINGS * any(c.isdigit() for c in text)
