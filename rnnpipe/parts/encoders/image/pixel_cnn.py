"""``rnnpipe.PixelCNN.v1``: gated masked convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple, TypeAlias, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from rnnpipe.contracts.registry import encoders
from rnnpipe.contracts.types import PositiveInt
from rnnpipe.layers.masked_conv import RowConv, RowsConv
from rnnpipe.parts.encoders.image.grid_encoder import GridEncoder, GridSettings
from rnnpipe.parts.encoders.sequence.gate import gate
from rnnpipe.structures import State

#: How many layers of convolutions.
Layers: TypeAlias = Annotated[int, Field(ge=1, le=64, strict=True)]


@encoders("rnnpipe.PixelCNN.v1")
@dataclass(frozen=True)
class PixelCNN(GridSettings):
    """The gated PixelCNN (van den Oord et al. 2016, Conditional Image Generation with PixelCNN
    Decoders). Two stacks of layers leave no blind spot: the states v of the *vertical* one are made
    of the rows above the pixel, the states h of the *horizontal* one of its own row up to it, and
    of v::

        v' = gate(V * v)
        h' = h + M gate(H * h + L (V * v))
        gate(a, b) = tanh(a) sigma(b)

    In the first layer v is the image, of which V sees the rows above the pixel; later V may see v
    at the pixel's own row too, which knows of no other rows. In the first layer ``h +`` is left out
    unless it is as wide as h'.

    width: of h and of v.
    depth: how many layers.
    reach: r, to how many pixels on each side a convolution reaches: V is ``r + 1`` rows high and
        ``2 r + 1`` wide, H is ``r + 1`` wide. 1 stands for kernels of 3 x 3, masked.
    """

    width: PositiveInt
    depth: Layers = 6
    reach: PositiveInt = 1

    def build(self, n_in: int, channels: int) -> GatedPixelCNN:
        return GatedPixelCNN(n_in, channels, self)


class GatedLayer(nn.Module):
    """One layer of both stacks. n_in: of v and of h. first: whether v is the image."""

    def __init__(self, n_in: int, width: int, channels: int, reach: int, first: bool) -> None:
        super().__init__()
        self.vertical = RowsConv(n_in, 2 * width, rows=reach + 1, reach=reach, strict=first)
        self.horizontal = RowConv(n_in, width, channels, reach=reach, blocks=2)
        self.link = RowConv(2 * width, 2 * width, 1)
        self.mix = RowConv(width, width, channels)
        self.residual = n_in == width

    def forward(self, v: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, height, width, n_in)`` twice to ``(B, height, width, width)`` twice."""
        above = self.vertical(v)
        return gate(above), self.join(self.horizontal(h), self.link(above), h)

    def join(self, row: Tensor, linked: Tensor, h: Tensor) -> Tensor:
        mixed: Tensor = self.mix(gate(row + linked))
        return h + mixed if self.residual else mixed


class PixelCNNState(NamedTuple):
    """Before a pixel of images that are ``width`` pixels wide.

    row: what has been read of the pixel's row.
    rows: of each layer, the last rows of v that its vertical convolution may see, without the
        pixel's own, ``(B, rows, width, n_in)``.
    linked: of each layer, what the horizontal stack is given by the vertical one in this row,
        ``(B, width, 2 * width)``.
    lefts: of each layer, h of the pixels to the left, ``(B, reach * n_in)``.
    """

    width: int
    row: tuple[Tensor, ...]
    rows: tuple[Tensor, ...]
    linked: tuple[Tensor, ...]
    lefts: tuple[Tensor, ...]


class GatedPixelCNN(GridEncoder):
    """See :class:`PixelCNN`."""

    def __init__(self, n_in: int, channels: int, settings: PixelCNN) -> None:
        super().__init__()
        self.n_in, self.n_out, self.reach = n_in, settings.width, settings.reach
        sizes = [n_in] + [self.n_out] * (settings.depth - 1)
        self.layers = nn.ModuleList(
            GatedLayer(n, self.n_out, channels, self.reach, first=number == 0)
            for number, n in enumerate(sizes)
        )

    @property
    def _layers(self) -> list[GatedLayer]:
        return [cast(GatedLayer, layer) for layer in self.layers]

    def encode(self, images: Tensor) -> Tensor:
        v = h = images
        for layer in self.layers:
            v, h = layer(v, h)
        return h

    def start(self, batch_size: int, width: int) -> PixelCNNState:
        like = self._layers[0].horizontal.bias
        sizes = [self.n_in] + [self.n_out] * (len(self.layers) - 1)
        rows = tuple(
            like.new_zeros(batch_size, layer.vertical.rows - (not layer.vertical.strict), width, n)
            for layer, n in zip(self._layers, sizes, strict=True)
        )
        return self._begin_row(PixelCNNState(width, (), rows, (), ()))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, PixelCNNState]:
        before = cast(PixelCNNState, state)
        if len(before.row) == before.width:
            last = torch.cat([before.rows[0], torch.stack(before.row, 1).unsqueeze(1)], 1)[:, 1:]
            before = self._begin_row(before._replace(row=(), rows=(last, *before.rows[1:])))
        column, h, lefts = len(before.row), x, []
        for layer, left, linked in zip(self._layers, before.lefts, before.linked, strict=True):
            window = torch.cat([left, h], dim=-1)
            lefts.append(window[:, h.shape[1] :])
            h = layer.join(layer.horizontal.step(window), linked[:, column], h)
        return h, before._replace(row=(*before.row, x), lefts=tuple(lefts))

    def _begin_row(self, state: PixelCNNState) -> PixelCNNState:
        """Return the vertical stack's next row. The first layer's rows are up to date."""
        rows, linked, lefts, v = [], [], [], None
        for layer, last in zip(self._layers, state.rows, strict=True):
            if v is not None:
                last = torch.cat([last, v.unsqueeze(1)], dim=1)
            above = layer.vertical.step(last)
            rows.append(last if v is None else last[:, 1:])
            linked.append(layer.link(above))
            lefts.append(above.new_zeros(last.shape[0], self.reach * last.shape[3]))
            v = gate(above)
        return state._replace(rows=tuple(rows), linked=tuple(linked), lefts=tuple(lefts))
