"""``acme.ScaledSum.v1``: a pooler between the sum and the mean of the nodes."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from rnnpipe.api import Encoded, PoolerBuilder, Probability, poolers


@poolers("acme.ScaledSum.v1")
def ScaledSum(power: Probability = 0.5) -> PoolerBuilder:
    """``sum_t h(t) / T^power``: repeated content counts more, the more so in a long document.

    power: the result is close to the sum near 0, and close to the mean near 1.
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
