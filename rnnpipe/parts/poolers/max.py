"""A document is its strongest signals."""

from __future__ import annotations

import math

from torch import Tensor, nn

from rnnpipe.contracts.registry import poolers
from rnnpipe.contracts.types import PoolerBuilder
from rnnpipe.structures import Encoded


@poolers("rnnpipe.Max.v1")
def Max() -> PoolerBuilder:
    """The maximum of each feature over the document's nodes."""
    return MaxPooler


class MaxPooler(nn.Module):
    """``max_t h(t)`` feature by feature (Collobert et al. 2011), zeros for an empty document."""

    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.n_out = n_in

    def forward(self, encoded: Encoded) -> Tensor:
        """Return the pooled states, ``(B, H)``."""
        states = encoded.states
        if encoded.structure.size == 0:
            return states.sum(1)  # (B, 0, H): the maximum of nothing is not defined, the sum is 0
        best = encoded.structure.blank(states, -math.inf).amax(1)
        return best.masked_fill((encoded.lengths == 0).unsqueeze(1), 0.0)
