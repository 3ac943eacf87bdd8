"""A judge of generated text that knows nothing of the model that made it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np


class NGrams:
    """Counts of symbols in their context, interpolated by Witten and Bell (1991):

        q(x | c) = (n(c x) + t(c) q(x | c')) / (n(c) + t(c))

    n: how often; t(c): how many different symbols follow c; c': c without its first symbol; for the
    empty context, c' gives all symbols the same probability.

    order: how many symbols c and x are together, at most. n_symbols: how many there are.
    """

    def __init__(self, texts: Sequence[Sequence[int]], order: int, n_symbols: int) -> None:
        self.order = order
        self.n_symbols = n_symbols
        self._counts: Counter[tuple[int, ...]] = Counter()
        for text in texts:
            for size in range(1, order + 1):
                self._counts.update(zip(*(text[i:] for i in range(size)), strict=False))
        self._totals: Counter[tuple[int, ...]] = Counter()
        self._types: Counter[tuple[int, ...]] = Counter()
        for gram, count in self._counts.items():
            self._totals[gram[:-1]] += count
            self._types[gram[:-1]] += 1

    def nats(self, text: Sequence[int], begin: int) -> np.ndarray:
        """The negative log-probability of each symbol from ``begin`` on, ``(N - begin,)``."""
        grams = (tuple(text[max(0, i + 1 - self.order) : i + 1]) for i in range(begin, len(text)))
        return np.array([-math.log(self._probability(gram)) for gram in grams])

    def _probability(self, gram: tuple[int, ...]) -> float:
        probability = 1.0 / self.n_symbols
        for start in range(len(gram) - 1, -1, -1):
            context = gram[start:-1]
            total, types = self._totals[context], self._types[context]
            if total:
                seen = self._counts[gram[start:]] + types * probability
                probability = seen / (total + types)
        return probability
