"""``acme.Cumulative.v1``: ordered levels with learned cut points."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.api import PixelOutputBuilder, pixel_outputs


@pixel_outputs("acme.Cumulative.v1")
def Cumulative() -> PixelOutputBuilder:
    """``p(v <= k) = sigma(c_k - m)``, m = w x of the channel's states and those of channels before
    it; the cut points c grow with k (proportional odds, McCullagh 1980, Regression Models for
    Ordinal Data)."""
    return cast(PixelOutputBuilder, CumulativeOutput)


class CumulativeOutput(nn.Module):
    """n_in: width of the states. channels: number of channels per pixel; each has an equal share of
    the states. levels: number of values per channel."""

    earlier: Tensor

    def __init__(self, n_in: int, channels: int, levels: int) -> None:
        super().__init__()
        share = n_in // channels
        self.weight = nn.Parameter(torch.randn(channels, channels, share) * n_in**-0.5)
        self.first = nn.Parameter(torch.full((channels, 1), -0.5 * (levels - 2)))
        self.gaps = nn.Parameter(torch.full((channels, levels - 2), 0.5))
        earlier = torch.ones(channels, channels).tril().unsqueeze(-1)
        self.register_buffer("earlier", earlier, persistent=False)

    def score(self, x: Tensor, pixels: Tensor) -> Tensor:
        """``(...)``: the log-probability of each pixel, its channels together."""
        chosen = self.log_probabilities(x).gather(-1, pixels.unsqueeze(-1))
        return chosen.squeeze(-1).sum(-1)

    def log_probabilities(self, x: Tensor) -> Tensor:
        """``(..., C, levels)`` in nats, float32 also under autocast."""
        channels = self.weight.shape[0]
        shares = x.reshape(*x.shape[:-1], channels, -1)  # (..., C, share)
        middle = torch.einsum("...dn,cdn->...c", shares, self.weight * self.earlier).float()
        above = self.cuts() - middle.unsqueeze(-1)  # (..., C, levels - 1)
        end = torch.full_like(above[..., :1], torch.inf)
        high, low = torch.cat([above, end], -1), torch.cat([-end, above], -1)
        # sigma(high) - sigma(low), without subtracting two nearly equal numbers.
        return F.logsigmoid(high) + F.logsigmoid(-low) + (-torch.expm1(low - high)).log()

    def cuts(self) -> Tensor:
        """Return ``(C, levels - 1)``, increasing."""
        return torch.cat([self.first, self.first + F.softplus(self.gaps).cumsum(-1)], -1)
