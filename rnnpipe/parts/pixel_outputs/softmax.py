"""``rnnpipe.Softmax.v1`` of pixels: every level of a channel by itself."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from rnnpipe.contracts.registry import pixel_outputs
from rnnpipe.contracts.types import PixelOutputBuilder
from rnnpipe.layers.masked_conv import RowConv


@pixel_outputs("rnnpipe.Softmax.v1")
def Softmax() -> PixelOutputBuilder:
    """``log softmax(W x + b)`` over the levels of each channel, which are taken as classes without
    an order (van den Oord et al. 2016, Pixel Recurrent Neural Networks)."""
    return cast(PixelOutputBuilder, SoftmaxOutput)


class SoftmaxOutput(nn.Module):
    """See :func:`Softmax`. n_in, channels, levels: of the states, of a pixel, of a channel."""

    def __init__(self, n_in: int, channels: int, levels: int) -> None:
        super().__init__()
        self.channels, self.levels = channels, levels
        self.logits = RowConv(n_in, channels, channels, blocks=levels)

    def score(self, x: Tensor, pixels: Tensor) -> Tensor:
        every = self.log_probabilities(x)
        return every.gather(-1, pixels.unsqueeze(-1)).squeeze(-1).sum(-1)

    def log_probabilities(self, x: Tensor) -> Tensor:
        logits: Tensor = self.logits(x).float()
        by_level = logits.view(*x.shape[:-1], self.levels, self.channels)
        return by_level.log_softmax(-2).mT  # (..., C, levels)
