"""``acme.WordLength.v1``: an embedding of word lengths."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, nn

from rnnpipe.api import Builder, EmbeddingBuilder, Features, PositiveInt, Words, embeddings


@embeddings("acme.WordLength.v1")
def WordLength(width: PositiveInt = 8, longest: PositiveInt = 20) -> EmbeddingBuilder:
    """``e(w) = table[min(|w|, longest)]``: a learned vector for each length, in characters.

    width: the width of the vectors.
    longest: the maximum length; longer words share its vector.
    """
    return Builder(partial(WordLengthEmbedding, width=width, longest=longest))


class WordLengthEmbedding(nn.Module):
    #: Vectors depend on the word only, so each distinct word of a batch is embedded once.
    lexical = True

    def __init__(self, width: int, longest: int) -> None:
        super().__init__()
        self.n_out = width
        self.longest = longest
        self.table = nn.Embedding(longest + 1, width)

    def initialize(self, vocab: Any) -> None:
        """Do nothing: all vectors are learned."""

    def featurize(self, items: Words) -> Features:
        """``rows``: ``(U,)`` int64."""
        rows = [min(len(text), self.longest) for text in items.texts()]
        return {"rows": np.array(rows, dtype=np.int64)}

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """``(U, width)``."""
        vectors: Tensor = self.table(features["rows"])
        return vectors
