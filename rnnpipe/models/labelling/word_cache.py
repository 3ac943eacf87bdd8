"""A cache of word vectors across batches in prediction."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from rnnpipe.contracts.types import Words
from rnnpipe.models.labelling.batching import Batch, take_words


class _Same:
    """An object equal only to itself. Holding it prevents reuse of its identity."""

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.thing is other.thing

    __hash__ = None  # type: ignore[assignment]


class WordCache:
    """A growing table of word vectors, emptied whenever the weights change.

    limit: maximum number of words. A batch that would exceed it resets the table.

    The cache is neither copied nor pickled with the network. It is thread-safe.
    """

    def __init__(self, limit: int = 20_000) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._clear(None)

    def __reduce__(self) -> tuple[type[WordCache], tuple[int]]:
        return WordCache, (self.limit,)

    def _clear(self, owner: object) -> None:
        self._owner = owner
        self._rows: dict[int, int] = {}
        self._table: Tensor | None = None

    def look_up(
        self, batch: Batch, weights_version: int, embed: Callable[[Words], Tensor]
    ) -> tuple[Tensor, np.ndarray]:
        """Return the vectors, ``(1 + n, D)`` with row 0 zero, and the row of each distinct word of
        the batch.

        embed: computes the vectors of the words that are not in the table yet.
        """
        vocab = batch.words.vocab
        low = [torch.is_autocast_enabled(device) for device in ("cpu", "cuda")]
        owner = (weights_version, _Same(vocab), _Same(vocab.vectors), low)
        with self._lock:
            keys = batch.keys.tolist()
            if self._owner != owner or len(self._rows) + len(keys) > self.limit:
                self._clear(owner)
            rows = np.array([self._rows.get(key, 0) for key in keys], dtype=np.int64)
            new = np.flatnonzero(rows == 0)
            if len(new):
                vectors = embed(take_words(batch.words, new))
                rows[new] = self._append(vectors)
                self._rows.update(zip(batch.keys[new].tolist(), rows[new].tolist(), strict=True))
            assert self._table is not None
            return self._table, rows

    def _append(self, vectors: Tensor) -> np.ndarray:
        used = len(self._rows) + 1  # row 0 is padding
        need = used + len(vectors)
        if self._table is None or need > len(self._table):
            # Room is doubled, and the old table left as it is: another thread may be reading it.
            grown = vectors.new_zeros(2 * need, vectors.shape[1])
            if self._table is not None:
                grown[:used] = self._table[:used]
            self._table = grown
        self._table[used:need] = vectors
        return np.arange(used, need)
