"""``rnnpipe.DiscretizedLogisticMixture.v1``: levels that have an order."""

from __future__ import annotations

from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from rnnpipe.contracts.registry import pixel_outputs
from rnnpipe.contracts.types import PixelOutputBuilder, PositiveInt
from rnnpipe.layers.masked_conv import RowConv

#: The least and the greatest log s: a narrower logistic would hardly leave its level, and to a
#: wider one all levels look the same.
_LOG_SCALES = -7.0, 7.0


@pixel_outputs("rnnpipe.DiscretizedLogisticMixture.v1")
def DiscretizedLogisticMixture(mixtures: PositiveInt = 10) -> PixelOutputBuilder:
    """A mixture of logistic distributions over intensities in [-1, 1], cut up into levels (Salimans
    et al. 2017, PixelCNN++). With v the intensity of a level, and d half the distance between two::

        p(v) = sum over k of pi_k (sigma((v + d - mu_k) / s_k) - sigma((v - d - mu_k) / s_k))

    The lowest level has all of the distribution below it too, the highest all above it. Each
    channel has a mixture of its own, which knows the channels before it through the masks of the
    network; Salimans et al. have one for all, whose means depend on the channels before.

    mixtures: K.
    """
    return cast(PixelOutputBuilder, partial(LogisticOutput, mixtures=mixtures))


class LogisticOutput(nn.Module):
    """See :func:`DiscretizedLogisticMixture`. n_in, channels, levels: of the states, of a pixel, of
    a channel."""

    def __init__(self, n_in: int, channels: int, levels: int, mixtures: int) -> None:
        super().__init__()
        self.channels, self.levels, self.mixtures = channels, levels, mixtures
        self.parts = RowConv(n_in, channels, channels, blocks=3 * mixtures)
        with torch.no_grad():  # means all over the range
            spread = torch.linspace(-1, 1, mixtures + 2)[1:-1]
            self.parts.bias.view(3, mixtures, channels)[1] = spread.unsqueeze(1)

    def score(self, x: Tensor, pixels: Tensor) -> Tensor:
        return self._log_probability(x, pixels.unsqueeze(-1)).squeeze(-1).sum(-1)

    def log_probabilities(self, x: Tensor) -> Tensor:
        levels = torch.arange(self.levels, device=x.device)
        return self._log_probability(x, levels.expand(*x.shape[:-1], self.channels, -1))

    def _log_probability(self, x: Tensor, levels: Tensor) -> Tensor:
        """levels: ``(..., C, n)``. RETURNS: ``(..., C, n)``."""
        parts = self.parts(x).float().view(*x.shape[:-1], 3, self.mixtures, self.channels)
        weight, mean, log_scale = (p.mT.unsqueeze(-2) for p in parts.unbind(-3))  # (..., C, 1, K)
        sharpness = torch.exp(-log_scale.clamp(*_LOG_SCALES))  # 1 / s
        half = 1.0 / (self.levels - 1)
        value = levels.unsqueeze(-1) * (2 * half) - 1.0
        above = (value + half - mean) * sharpness  # (..., C, n, K)
        below = (value - half - mean) * sharpness
        # sigma(a) - sigma(b) = sigma(a) sigma(-b) (1 - exp(b - a)): nothing cancels.
        log_a = logsigmoid(above).masked_fill(levels.unsqueeze(-1) == self.levels - 1, 0.0)
        log_b = logsigmoid(-below).masked_fill(levels.unsqueeze(-1) == 0, 0.0)
        width = torch.log(-torch.expm1(-2 * half * sharpness))
        inner = (levels > 0) & (levels < self.levels - 1)
        log_p = log_a + log_b + width * inner.unsqueeze(-1)
        return torch.logsumexp(weight.log_softmax(-1) + log_p, dim=-1)
