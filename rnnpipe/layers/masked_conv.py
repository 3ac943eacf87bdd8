"""Convolutions over images that see earlier pixels only, and of a pixel only what they may.

Images are ``(B, height, width, features)``. The features of a pixel are split into as many groups
as it has colour channels, since channels are predicted one after the other: features of channel c
may be made of earlier pixels and, at the pixel itself, of features of channels up to c (*mask B*),
or of channels before c (*mask A*) where the inputs are the channels' own values (van den Oord et
al. 2016, Pixel Recurrent Neural Networks).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnpipe.errors import StructureError, expected


def require_features(setting: str, n_features: int, channels: int) -> None:
    """Raises StructureError, with the setting, if there are fewer features than channels."""
    if n_features < channels:
        want = f"at least one feature for each of the {channels} channels"
        raise StructureError(expected(setting, want, n_features, f"Set it to {channels} or more."))


def channel_of(n_features: int, channels: int) -> Tensor:
    """``(n_features,)`` the channel that each feature belongs to: equal shares, the first first.

    Raises StructureError if there are fewer features than channels.
    """
    require_features("width", n_features, channels)
    return torch.arange(n_features) * channels // n_features


def row_mask(
    n_in: int, n_out: int, channels: int, *, reach: int = 0, blocks: int = 1, strict: bool = False
) -> Tensor | None:
    """``((reach + 1) * n_in, blocks * n_out)`` which inputs each output may be made of, as 0 and 1:
    everything of the ``reach`` pixels to the left, and the pixel's own features by mask B, or by
    mask A if ``strict``. ``None`` if that is everything."""
    if channels == 1 and not strict:
        return None
    sees = channel_of(n_in, channels).unsqueeze(1)
    own = sees < channel_of(n_out, channels) if strict else sees <= channel_of(n_out, channels)
    left = torch.ones(reach * n_in, n_out, dtype=torch.bool)
    return torch.cat([left, own]).repeat(1, blocks).to(torch.get_default_dtype())


def windows(x: Tensor, reach: int) -> Tensor:
    """Return each pixel's own features behind those of the ``reach`` pixels to its left, zeros
    where there is none. ``(B, height, width, D) -> (B, height, width, (reach + 1) * D)``."""
    if reach == 0:
        return x
    width = x.shape[2]
    padded = nn.functional.pad(x, (0, 0, reach, 0))
    return torch.cat([padded[:, :, j : j + width] for j in range(reach + 1)], dim=-1)


class RowConv(nn.Module):
    """A convolution over a pixel and those to its left in the same row.

    n_in, n_out: features of a pixel. channels, reach, blocks, strict: see :func:`row_mask`; there
        are ``blocks * n_out`` outputs, each block with a share for every channel.
    """

    mask: Tensor | None

    def __init__(
        self,
        n_in: int,
        n_out: int,
        channels: int,
        *,
        reach: int = 0,
        blocks: int = 1,
        strict: bool = False,
    ) -> None:
        super().__init__()
        self.reach = reach
        fan_in = (reach + 1) * n_in
        bound = fan_in**-0.5
        self.weight = nn.Parameter(torch.empty(fan_in, blocks * n_out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(blocks * n_out))
        mask = row_mask(n_in, n_out, channels, reach=reach, blocks=blocks, strict=strict)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the vectors,
        ``(B, height, width, n_in) -> (B, height, width, blocks * n_out)``."""
        return self.step(windows(x, self.reach))

    def step(self, window: Tensor) -> Tensor:
        """One pixel or many: ``(..., (reach + 1) * n_in) -> (..., blocks * n_out)``."""
        weight = self.weight if self.mask is None else self.weight * self.mask
        return nn.functional.linear(window, weight.t(), self.bias)


class RowsConv(nn.Module):
    """A convolution over rows, ``rows`` high and ``2 * reach + 1`` wide: those up to the pixel's
    own, or, if ``strict``, those above it. No mask is needed: a row is all there, or not at all.
    """

    def __init__(self, n_in: int, n_out: int, *, rows: int, reach: int, strict: bool) -> None:
        super().__init__()
        self.rows, self.reach, self.strict = rows, reach, strict
        bound = (n_in * rows * (2 * reach + 1)) ** -0.5
        weight = torch.empty(n_out, n_in, rows, 2 * reach + 1)
        self.weight = nn.Parameter(weight.uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor) -> Tensor:
        """Return the vectors, ``(B, height, width, n_in) -> (B, height, width, n_out)``."""
        above = (self.rows, -1) if self.strict else (self.rows - 1, 0)
        return self._conv(x, above)

    def step(self, last: Tensor) -> Tensor:
        """One row, from the last ``rows`` rows that it may see:
        ``(B, rows, width, n_in) -> (B, width, n_out)``."""
        return self._conv(last, (0, 0)).squeeze(1)

    def _conv(self, x: Tensor, above: tuple[int, int]) -> Tensor:
        padded = nn.functional.pad(x.permute(0, 3, 1, 2), (self.reach, self.reach, *above))
        return nn.functional.conv2d(padded, self.weight, self.bias).permute(0, 2, 3, 1)
