"""``acme.ScaledSum.v1``: between the sum of the nodes and their mean."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from rnnpipe.api import Encoded, PoolerBuilder, Probability, poolers


@poolers("acme.ScaledSum.v1")
def ScaledSum(power: Probability = 0.5) -> PoolerBuilder:
    """``sum_t h(t) / T^power``: what a document says often counts more, and more so in a long one.

    power: near 0 it is the sum, near 1 the mean.
    """
    return partial(ScaledSumPooler, power=power)


class ScaledSumPooler(nn.Module):
    """Zeros for an empty document."""

    def __init__(self, n_in: int, power: float) -> None:
        super().__init__()
        self.n_out = n_in
        self.power = power

    def forward(self, encoded: Encoded) -> Tensor:
        """``(B, H)``."""
        total = encoded.structure.blank(encoded.states).sum(1)  # (B, H)
        return total / encoded.lengths.clamp(min=1).unsqueeze(1) ** self.power
