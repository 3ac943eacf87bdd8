"""``rnnpipe.Bernoulli.v1``: pixels that are black or white."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import pixel_outputs
from rnnpipe.contracts.types import PixelOutputBuilder
from rnnpipe.errors import SettingsError, expected
from rnnpipe.layers.masked_conv import RowConv


@pixel_outputs("rnnpipe.Bernoulli.v1")
def Bernoulli() -> PixelOutputBuilder:
    """``p(1) = sigma(w x + b)``, for channels of two levels. Raises SettingsError for others."""
    return cast(PixelOutputBuilder, BernoulliOutput)


class BernoulliOutput(nn.Module):
    """See :func:`Bernoulli`. n_in, channels: of the states and of a pixel. levels: 2."""

    def __init__(self, n_in: int, channels: int, levels: int) -> None:
        super().__init__()
        if levels != 2:
            do = "Use rnnpipe.Softmax.v1, or binarise the images."
            raise SettingsError(expected("output", "images of 2 levels", levels, do))
        self.logit = RowConv(n_in, channels, channels)

    def score(self, x: Tensor, pixels: Tensor) -> Tensor:
        logits = self.logit(x).float()  # (..., C)
        signed = torch.where(pixels > 0, logits, -logits)
        return nn.functional.logsigmoid(signed).sum(-1)

    def log_probabilities(self, x: Tensor) -> Tensor:
        logits = self.logit(x).float()
        both = torch.stack([-logits, logits], dim=-1)
        return nn.functional.logsigmoid(both)  # (..., C, 2)
