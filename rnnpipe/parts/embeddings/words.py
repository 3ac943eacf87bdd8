"""Word vectors learned from scratch, for a vocabulary fixed when training starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.contracts import types
from rnnpipe.contracts.registry import embeddings
from rnnpipe.contracts.types import Features, PositiveInt, Probability
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.embeddings.builder import SingleEmbedding, frequent


@embeddings("rnnpipe.Words.v1")
@dataclass(frozen=True)
class Words(SingleEmbedding):
    """One learned vector per word of the training documents, and one for all other words.

    min_frequency: a word needs this many occurrences in training to get its own vector.
    lowercase: look words up in lower case; useful beside character embeddings, which know the case.
    singleton_dropout: probability of replacing a word that occurs once in training by the unknown
        word, whose vector is then trained even if every word has its own. The default is 0.5 if
        ``min_frequency`` is 1; otherwise no word with a vector occurs once, and the setting is
        refused.
    """

    width: PositiveInt = 100
    min_frequency: PositiveInt = 1
    lowercase: bool = False
    singleton_dropout: Probability | None = None

    def __post_init__(self) -> None:
        if self.min_frequency > 1 and self.singleton_dropout:
            once = f"min_frequency = {self.min_frequency} excludes words that occur once"
            raise SettingsError(
                expected(
                    "rnnpipe.Words.v1, singleton_dropout",
                    f"no value, since {once}",
                    self.singleton_dropout,
                    "Remove singleton_dropout, or set min_frequency = 1.",
                )
            )

    def measure(self, counts: Mapping[str, int], vocab: Any) -> dict[str, Any]:
        """Return ``words``, the vocabulary, frequent words first, and ``n_repeated``, the number of
        words that occur more than once."""
        if self.lowercase:
            merged: Counter[str] = Counter()
            for text, n in counts.items():
                merged[text.lower()] += n
            counts = merged
        words = frequent(counts, self.min_frequency, "rnnpipe.Words.v1")
        return {"words": words, "n_repeated": sum(counts[word] > 1 for word in words)}

    def build(self, facts: dict[str, Any]) -> WordEmbedding:
        return WordEmbedding(self, **facts)


class WordEmbedding(nn.Module):
    """``e(w) = table[row(w)]``, row 0 for a word that is not in the vocabulary.

    While training, a word that occurs once in the training documents is looked up in row 0 with
    probability ``singleton_dropout`` (Lample et al. 2016, Neural Architectures for Named Entity
    Recognition, section 4.3). Vectors start uniform in ``+-sqrt(3 / width)``, a length of about 1.

    words: the vocabulary; word i has row i + 1. n_repeated: number of its first words that are no
        singletons.
    """

    lexical = True

    def __init__(self, settings: Words, words: list[str], n_repeated: int) -> None:
        super().__init__()
        self.n_out = width = settings.width
        self.n_repeated = n_repeated
        self.lowercase = settings.lowercase
        rate = settings.singleton_dropout
        self.singleton_dropout = 0.5 if rate is None else rate
        self.table = nn.Embedding(len(words) + 1, width)
        bound = (3 / width) ** 0.5
        nn.init.uniform_(self.table.weight, -bound, bound)
        self._row_of_text = {word: row for row, word in enumerate(words, start=1)}
        self._row_of_key: dict[int, int] = {}

    def initialize(self, vocab: Any) -> None:
        """Do nothing: all weights are learned."""

    def featurize(self, items: types.Words) -> Features:
        """Return ``rows``, ``(U,)`` int64."""
        known, strings = self._row_of_key, items.vocab.strings
        rows = [known.get(key) or self._look_up(key, strings) for key in items.orth.tolist()]
        return {"rows": np.array(rows, dtype=np.int64)}

    def _look_up(self, key: int, strings: Any) -> int:
        # Only hits are remembered, so that the memory is bounded by the vocabulary.
        text = strings[key]
        row = self._row_of_text.get(text.lower() if self.lowercase else text, 0)
        if row:
            self._row_of_key[key] = row
        return row

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors, ``(U, width)``."""
        rows = features["rows"]  # (U,)
        if self.training and self.singleton_dropout:
            dropped = torch.rand(rows.shape, device=rows.device) < self.singleton_dropout
            rows = rows.masked_fill(dropped & (rows > self.n_repeated), 0)
        output: Tensor = self.table(rows)
        return output
