"""``acme.Window.v1``: edges from each token to the tokens after it in a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpipe.api import DocEdges, DocLike, PositiveInt, edges


@edges("acme.Window.v1")
def Window(size: PositiveInt = 2) -> DocEdges:
    """``i -> i + k`` for k from 1 to ``size``, of type k: words in a window are neighbours, as in
    TextRank (Mihalcea and Tarau 2004).

    size: the maximum distance, in tokens.
    """
    return WindowEdges(size)


@dataclass(frozen=True)
class WindowEdges:
    size: int

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(f"{k} after" for k in range(1, self.size + 1))

    def read(self, doc: DocLike) -> np.ndarray:
        """``(e, 3)`` int64: for each edge [from, to, type], from 0."""
        n = len(doc)
        found = [(i, i + k, k - 1) for k in range(1, self.size + 1) for i in range(n - k)]
        return np.array(found, dtype=np.int64).reshape(-1, 3)
