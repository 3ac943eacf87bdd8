"""``rnnpipe.DiagonalBiLSTM.v1``: two LSTMs across an image, by diagonals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, cast

import torch
from torch import Tensor
from torch.nn.functional import pad

from rnnpipe.contracts.registry import encoders
from rnnpipe.contracts.types import Depth, PositiveInt
from rnnpipe.parts.encoders.image.grid_encoder import GridSettings
from rnnpipe.parts.encoders.image.grid_lstm import GridLSTM, diagonal_course
from rnnpipe.parts.encoders.image.pixel_lstm import PixelLSTM, PixelLSTMLayer
from rnnpipe.structures import State


@encoders("rnnpipe.DiagonalBiLSTM.v1")
@dataclass(frozen=True)
class DiagonalBiLSTM(GridSettings):
    """The Diagonal BiLSTM (van den Oord et al. 2016, Pixel Recurrent Neural Networks): see
    :mod:`rnnpipe.parts.encoders.image.grid_lstm`. The neighbours of a pixel are the one to its
    left, whose c it goes on from, and the one above it; for the second half, the one to its right
    and the one above. As pixels to the right come later, a pixel is given the second half's state
    of the one above::

        h[r, c] = h_left[r, c] + h_right[r - 1, c]

    A state knows all of the image up to its pixel.

    width: of h and c; the states are twice as wide, see
        :class:`~rnnpipe.parts.encoders.image.pixel_lstm.PixelLSTMLayer`.
    depth: how many layers.
    """

    width: PositiveInt
    depth: Depth = 1

    def build(self, n_in: int, channels: int) -> PixelLSTM:
        layer = partial(DiagonalBiLSTMLayer, width=self.width)
        return PixelLSTM(n_in, channels, layer=layer, depth=self.depth)


class DiagonalState(NamedTuple):
    """Before a pixel.

    x: what the pixels of its row so far were given, ``(B, n_in)`` each.
    h: their states of the left half, ``(B, H)`` each. c: the last one's, zeros in a new row.
    above, above_right: h of both halves in the row above, ``(B, width, H)``.
    """

    x: tuple[Tensor, ...]
    h: tuple[Tensor, ...]
    c: Tensor
    above: Tensor
    above_right: Tensor


class DiagonalBiLSTMLayer(PixelLSTMLayer):
    """See :class:`DiagonalBiLSTM`."""

    def __init__(self, n_in: int, channels: int, *, width: int) -> None:
        lstm = GridLSTM(n_in, width, channels, neighbours=2, directions=2)
        super().__init__(n_in, channels, lstm)

    def states(self, images: Tensor) -> Tensor:
        course = diagonal_course(*images.shape[:3], images.device)
        both = [course.gather(x.flatten(0, 2)) for x in (images, images.flip(2))]
        halves = self.lstm(torch.stack(both), course)
        shape = (*images.shape[:3], self.lstm.width)
        left, right = (course.scatter(h).view(shape) for h in halves)
        return left + pad(right.flip(2), (0, 0, 0, 0, 1, -1))

    def start(self, batch_size: int, width: int) -> DiagonalState:
        above = self.lstm.bias.new_zeros(batch_size, width, self.lstm.width)
        return DiagonalState((), (), above[:, 0], above, above)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, DiagonalState]:
        before = cast(DiagonalState, state)
        if len(before.h) == before.above.shape[1]:
            before = self._begin_row(before)
        column = len(before.h)
        left = before.h[-1] if before.h else torch.zeros_like(before.c)
        h, c = self.lstm.step(x, [left, before.above[:, column]], before.c)
        after = before._replace(x=(*before.x, x), h=(*before.h, h), c=c)
        return h + before.above_right[:, column], after

    def _begin_row(self, state: DiagonalState) -> DiagonalState:
        """Return the right half of a row is computed once the row is complete."""
        h = c = torch.zeros_like(state.c)
        row = []
        for x, above in zip(reversed(state.x), reversed(state.above_right.unbind(1)), strict=True):
            h, c = self.lstm.step(x, [h, above], c, direction=1)
            row.append(h)
        right = torch.stack(row[::-1], dim=1)
        return DiagonalState((), (), torch.zeros_like(c), torch.stack(state.h, 1), right)
