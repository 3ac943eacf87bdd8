"""A document is where its encoder ended up."""

from __future__ import annotations

from torch import Tensor, nn

from rnnpipe.contracts.registry import poolers
from rnnpipe.contracts.types import PoolerBuilder
from rnnpipe.structures import Encoded


@poolers("rnnpipe.Last.v1")
def Last() -> PoolerBuilder:
    """The last node of the forward half, the first node of the backward half."""
    return LastPooler


class LastPooler(nn.Module):
    """``[h_f(T); h_b(1)]``, zeros for an empty document. For a tree, the root."""

    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.n_out = n_in

    def forward(self, encoded: Encoded) -> Tensor:
        """Return the pooled states, ``(B, H)``."""
        return encoded.final
