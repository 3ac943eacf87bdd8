"""From the keys of symbols to their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from rnnpipe.contracts.types import UNKNOWN


class Numbering:
    """Numbers for keys: key i has number i + 2, any other is
    :data:`~rnnpipe.contracts.types.UNKNOWN`.

    keys: ``(K,)`` distinct integers.
    """

    def __init__(self, keys: np.ndarray) -> None:
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]

    def __call__(self, keys: np.ndarray) -> np.ndarray:
        """``(N,)`` keys to ``(N,)`` int64 numbers."""
        if not len(self._sorted):
            return np.full(len(keys), UNKNOWN)
        place = np.searchsorted(self._sorted, keys).clip(max=len(self._sorted) - 1)
        known = self._sorted[place] == keys
        return np.where(known, self._order[place] + 2, UNKNOWN)


class Listing:
    """Numbers for pieces of text: piece i has number i + 2, any other is
    :data:`~rnnpipe.contracts.types.UNKNOWN`."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._number_of = {piece: number for number, piece in enumerate(pieces, start=2)}

    def __call__(self, pieces: Iterable[str]) -> np.ndarray:
        """``(N,)`` int64."""
        return np.array([self._number_of.get(p, UNKNOWN) for p in pieces], dtype=np.int64)

    def unknown(self, pieces: Iterable[str]) -> list[str]:
        return [piece for piece in pieces if piece not in self._number_of]


def most_frequent_first(counts: Counter[str], min_count: int) -> list[str]:
    """Return the symbols that occur often enough; those equally frequent in the order of their
    text."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [symbol for symbol, count in ranked if count >= min_count]
