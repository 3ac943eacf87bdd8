"""``rnnpipe.TwoWayEdges.v1``: edges, and the same edges back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpipe.contracts.registry import edges as registry
from rnnpipe.contracts.types import DocEdges, DocLike


@registry("rnnpipe.TwoWayEdges.v1")
@dataclass(frozen=True)
class TwoWayEdges:
    """Other edges and, for each, one from its end to its beginning, of a type of its own: an edge
    of type ``t`` has one of type ``t, inverse`` beside it.

    edges: the others.
    """

    edges: DocEdges

    @property
    def types(self) -> tuple[str, ...]:
        return (*self.edges.types, *(f"{name}, inverse" for name in self.edges.types))

    def read(self, doc: DocLike) -> np.ndarray:
        """Raises what the others raise."""
        there = self.edges.read(doc)
        back = there[:, [1, 0, 2]] + [0, 0, len(self.edges.types)]
        return np.concatenate([there, back])
