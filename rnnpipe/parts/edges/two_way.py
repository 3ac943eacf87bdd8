"""``rnnpipe.TwoWayEdges.v1``: edges, and their inverse edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpipe.contracts.registry import edges as registry
from rnnpipe.contracts.types import DocEdges, DocLike


@registry("rnnpipe.TwoWayEdges.v1")
@dataclass(frozen=True)
class TwoWayEdges:
    """Other edges and, for each, an inverse edge with a type of its own: ``t, inverse`` for type
    ``t``.

    edges: the other edges.
    """

    edges: DocEdges

    @property
    def types(self) -> tuple[str, ...]:
        return (*self.edges.types, *(f"{name}, inverse" for name in self.edges.types))

    def read(self, doc: DocLike) -> np.ndarray:
        there = self.edges.read(doc)
        back = there[:, [1, 0, 2]] + [0, 0, len(self.edges.types)]
        return np.concatenate([there, back])
