"""``rnnpipe.NextTokenEdges.v1``: from each token to the one after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpipe.contracts.registry import edges
from rnnpipe.contracts.types import DocEdges, DocLike


@edges("rnnpipe.NextTokenEdges.v1")
def NextTokenEdges() -> DocEdges:
    """Edges from each token to the next one, through the whole document. Type: ``next``."""
    return NextToken()


@dataclass(frozen=True)
class NextToken:
    """See :func:`NextTokenEdges`."""

    types = ("next",)

    def read(self, doc: DocLike) -> np.ndarray:
        first = np.arange(max(0, len(doc) - 1))
        return np.stack([first, first + 1, np.zeros_like(first)], axis=1)
