"""A document is the average of its nodes."""

from __future__ import annotations

from torch import Tensor, nn

from rnnpipe.contracts.registry import poolers
from rnnpipe.contracts.types import PoolerBuilder
from rnnpipe.structures import Encoded


@poolers("rnnpipe.Mean.v1")
def Mean() -> PoolerBuilder:
    """The mean over the document's nodes."""
    return MeanPooler


class MeanPooler(nn.Module):
    """``sum_t h(t) / T``, zeros for an empty document."""

    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.n_out = n_in

    def forward(self, encoded: Encoded) -> Tensor:
        """Return the pooled states, ``(B, H)``."""
        total = encoded.structure.blank(encoded.states).sum(1)  # (B, H)
        return total / encoded.lengths.clamp(min=1).unsqueeze(1)
