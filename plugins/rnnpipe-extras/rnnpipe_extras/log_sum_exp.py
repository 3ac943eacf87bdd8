"""``extras.LogSumExp.v1``: between the mean and the maximum."""

from __future__ import annotations

import math
from functools import partial

from torch import Tensor, nn

from rnnpipe.api import Encoded, PoolerBuilder, PositiveFloat, poolers


@poolers("extras.LogSumExp.v1")
def LogSumExp(sharpness: PositiveFloat = 1.0) -> PoolerBuilder:
    """``log(mean_t exp(r h(t))) / r`` of each feature: every node counts, the strongest most
    (Pinheiro and Collobert 2015, From Image-level to Pixel-level Labeling with Convolutional
    Networks).

    sharpness: r. Near 0 it is the mean, and the greater, the more it is the maximum.
    """
    return partial(LogSumExpPooler, sharpness=sharpness)


class LogSumExpPooler(nn.Module):
    """Zeros for an empty document."""

    def __init__(self, n_in: int, sharpness: float) -> None:
        super().__init__()
        self.n_out = n_in
        self.sharpness = sharpness

    def forward(self, encoded: Encoded) -> Tensor:
        """``(B, H)``."""
        states, lengths = encoded.states, encoded.lengths.unsqueeze(1)
        if encoded.structure.size == 0:
            return states.sum(1)  # (B, 0, H): there is no logarithm of nothing
        empty = lengths == 0
        # An empty document keeps its zeros: the gradient of log 0 is not a number.
        hidden = (~encoded.mask & ~empty).unsqueeze(2)
        total = (self.sharpness * states).masked_fill(hidden, -math.inf).logsumexp(1)
        pooled = (total - lengths.clamp(min=1).log()) / self.sharpness
        return pooled.masked_fill(empty, 0.0)
