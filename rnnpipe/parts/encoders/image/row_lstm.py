"""``rnnpipe.RowLSTM.v1``: an LSTM down the rows of an image, a whole row at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, cast

import torch
from torch import Tensor

from rnnpipe.contracts.registry import encoders
from rnnpipe.contracts.types import Depth, PositiveInt
from rnnpipe.layers.masked_conv import windows
from rnnpipe.parts.encoders.image.grid_encoder import GridSettings
from rnnpipe.parts.encoders.image.grid_lstm import GridLSTM, row_course, row_neighbours
from rnnpipe.parts.encoders.image.pixel_lstm import PixelLSTM, PixelLSTMLayer
from rnnpipe.structures import State


@encoders("rnnpipe.RowLSTM.v1")
@dataclass(frozen=True)
class RowLSTM(GridSettings):
    """The Row LSTM (van den Oord et al. 2016, Pixel Recurrent Neural Networks): see
    :mod:`rnnpipe.parts.encoders.image.grid_lstm`. The neighbours of a pixel are the one above it,
    whose c it goes on from, and those up to r to the left and right of that; its input, up to r
    pixels to the left and its own. A state knows a triangle above the pixel, not all of the image.

    width: of h and c; the states are twice as wide, see
        :class:`~rnnpipe.parts.encoders.image.pixel_lstm.PixelLSTMLayer`.
    depth: how many layers.
    reach: r; 1 stands for convolutions 3 wide.
    """

    width: PositiveInt
    depth: Depth = 1
    reach: PositiveInt = 1

    def build(self, n_in: int, channels: int) -> PixelLSTM:
        layer = partial(RowLSTMLayer, width=self.width, reach=self.reach)
        return PixelLSTM(n_in, channels, layer=layer, depth=self.depth)


class RowState(NamedTuple):
    """Before a pixel.

    left: what the pixels to the left were given, ``(B, reach * n_in)``.
    above_h, above_c: of the row above, with zeros beyond its ends, ``(B, width + 2 * reach, H)``.
    h, c: of the pixel's row so far, ``(B, H)`` each.
    """

    left: Tensor
    above_h: Tensor
    above_c: Tensor
    h: tuple[Tensor, ...]
    c: tuple[Tensor, ...]


class RowLSTMLayer(PixelLSTMLayer):
    """See :class:`RowLSTM`."""

    def __init__(self, n_in: int, channels: int, *, width: int, reach: int) -> None:
        lstm = GridLSTM(n_in, width, channels, reach=reach, neighbours=2 * reach + 1)
        super().__init__(n_in, channels, lstm)
        self.reach = reach

    def states(self, images: Tensor) -> Tensor:
        course = row_course(*images.shape[:3], self.reach, images.device)
        x = windows(images, self.reach).flatten(0, 2)
        h = self.lstm(course.gather(x).unsqueeze(0), course).squeeze(0)
        return course.scatter(h).view(*images.shape[:3], self.lstm.width)

    def start(self, batch_size: int, width: int) -> RowState:
        like = self.lstm.bias
        above = like.new_zeros(batch_size, width + 2 * self.reach, self.lstm.width)
        return RowState(like.new_zeros(batch_size, self.reach * self.n_in), above, above, (), ())

    def step(self, x: Tensor, state: State) -> tuple[Tensor, RowState]:
        before = cast(RowState, state)
        if len(before.h) == before.above_h.shape[1] - 2 * self.reach:
            before = self._begin_row(before)
        column = len(before.h) + self.reach
        window = torch.cat([before.left, x], dim=-1)
        neighbours = [before.above_h[:, column + j] for j in row_neighbours(self.reach)]
        h, c = self.lstm.step(window, neighbours, before.above_c[:, column])
        left = window[:, x.shape[1] :]
        return h, before._replace(left=left, h=(*before.h, h), c=(*before.c, c))

    def _begin_row(self, state: RowState) -> RowState:
        ends = (0, 0, self.reach, self.reach)
        h, c = (torch.nn.functional.pad(torch.stack(s, 1), ends) for s in (state.h, state.c))
        return RowState(torch.zeros_like(state.left), h, c, (), ())
