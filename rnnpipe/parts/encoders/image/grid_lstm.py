"""An LSTM over images: a pixel's state is made of its input and of the states of a few neighbours.

    a = W x + sum over k of U_k h_k + b          blocks i, f, g, o
    c = sigma(f) c_1 + sigma(i) tanh(g)
    h = sigma(o) tanh(c)

h_k and c_k are the states of the pixel's k-th neighbour, zeros outside the image. Pixels that do
not need each other are one step: a row, or a diagonal.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rnnpipe.layers.init import fill_gate_, orthogonal_blocks_, uniform_blocks_
from rnnpipe.layers.masked_conv import row_mask
from rnnpipe.parts.encoders.sequence.compiled_lstm import Course, compiled_lstm, lstm_compiles


@dataclass(frozen=True)
class GridCourse(Course):
    """The rows of a batch of images in the order of computation: step after step, each followed by
    rows that stay zero and stand for what is outside the image. Within a step the images' rows of
    one pixel stand together.

    n_initial: how many states stand before the first row.
    gap: how many rows at least are between two steps.
    source: ``(N,)`` the pixel of each row, of B * height * width; that number for none.
    target: ``(B * height * width,)`` the row of each pixel.
    """

    n_initial: int
    gap: int
    source: Tensor
    target: Tensor

    def gather(self, pixels: Tensor) -> Tensor:
        """Pixels in the order of computation. ``(B * height * width, D) -> (N, D)``."""
        return cast(Tensor, _Move.apply(pixels, self.source, self.target))  # type: ignore[no-untyped-call]

    def scatter(self, rows: Tensor) -> Tensor:
        """Rows back to their pixels. ``(N, H) -> (B * height * width, H)``."""
        return cast(Tensor, _Move.apply(rows, self.target, self.source))  # type: ignore[no-untyped-call]


class _Move(torch.autograd.Function):
    """Rows to places that know where they came from: the backward pass moves whole rows too, which
    is much faster than to add them up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(index, inverse)
        return _take(x, index)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        _, inverse = ctx.saved_tensors
        return _take(gradient, inverse), None, None


def _take(x: Tensor, index: Tensor) -> Tensor:
    return torch.cat([x, x.new_zeros(1, x.shape[1])]).index_select(0, index)


def row_neighbours(reach: int) -> list[int]:
    """How far to the right of the pixel above the neighbours of a pixel are: first that pixel, then
    those up to ``reach`` to both sides of it."""
    return sorted(range(-reach, reach + 1), key=abs)


@functools.lru_cache(maxsize=32)
def row_course(
    batch_size: int, height: int, width: int, reach: int, device: torch.device
) -> GridCourse:
    """Row by row from the top; the neighbours are :func:`row_neighbours`."""
    pixels = [list(range(row * width, (row + 1) * width)) for row in range(height)]
    # Before the first row: a row of zeros, and what is to the left and right of it.
    previous, start, before = reach, width + 2 * reach, []
    for _ in pixels:
        before.append(tuple(previous + j for j in row_neighbours(reach)))
        previous, start = start, start + width + reach
    return _course(pixels, before, width + 2 * reach, reach, batch_size, device)


@functools.lru_cache(maxsize=32)
def diagonal_course(batch_size: int, height: int, width: int, device: torch.device) -> GridCourse:
    """From the upper left corner to the lower right, by diagonals from the upper right to the lower
    left. The neighbours of a pixel are the one to the left of it and the one above it.

    The input map is not skewed and padded (van den Oord et al. 2016): a step has just the pixels of
    its diagonal, half as many in a square image.
    """
    pixels, before = [], []
    previous, start, top_before = 1, 2, 0
    for diagonal in range(height + width - 1):
        top, bottom = max(0, diagonal - width + 1), min(diagonal, height - 1)
        pixels.append([row * width + diagonal - row for row in range(top, bottom + 1)])
        left = previous + top - top_before
        before.append((left, left - 1))
        previous, start, top_before = start, start + bottom - top + 2, top
    return _course(pixels, before, 2, 1, batch_size, device)


def _course(
    pixels: Sequence[Sequence[int]],
    before: Sequence[tuple[int, ...]],
    n_initial: int,
    gap: int,
    batch_size: int,
    device: torch.device,
) -> GridCourse:
    """pixels: of one image, step by step. The rest counts pixels too; rows are ``batch_size`` times
    as many."""
    n_pixels, block = sum(map(len, pixels)), torch.arange(batch_size)
    n_rows = n_pixels + gap * len(pixels)
    source = torch.full((n_rows, batch_size), n_pixels * batch_size)
    target = torch.empty(batch_size, n_pixels, dtype=torch.int64)
    n_neighbours = len(before[0]) if before else 1
    previous = torch.zeros(n_neighbours, n_rows, batch_size, dtype=torch.int64)
    steps, begin = [], 0
    for own, starts in zip(pixels, before, strict=True):
        places, n = torch.arange(begin, begin + len(own)).unsqueeze(1), len(own)
        source[begin : begin + n] = block * n_pixels + torch.tensor(own).unsqueeze(1)
        target[:, own] = (places * batch_size + block).t()
        for k, start in enumerate(starts):
            follows = torch.arange(start, start + n).unsqueeze(1)
            previous[k, begin : begin + n] = follows * batch_size + block
        rows = tuple(start * batch_size for start in starts)
        steps.append((begin * batch_size, rows, n * batch_size))
        begin += n + gap
    return GridCourse(
        steps,
        previous.flatten(1).to(device),
        n_initial=n_initial * batch_size,
        gap=gap * batch_size,
        source=source.flatten().to(device),
        target=target.flatten().to(device),
    )


class GridLSTM(nn.Module):
    """The equations above, with weights for one direction or two.

    n_in: of what a pixel is given, that is ``reach`` pixels to its left and its own features.
    width: H.
    channels, reach: see :func:`rnnpipe.layers.masked_conv.row_mask`, whose mask B holds for W.
    neighbours: K.
    """

    mask: Tensor | None

    def __init__(
        self,
        n_in: int,
        width: int,
        channels: int,
        *,
        reach: int = 0,
        neighbours: int,
        directions: int = 1,
    ) -> None:
        super().__init__()
        self.width, self.reach = width, reach
        mask = row_mask(n_in, width, channels, reach=reach, blocks=4)
        self.register_buffer("mask", mask, persistent=False)
        weight = torch.empty(directions, (reach + 1) * n_in, 4 * width)
        self.input_weight = nn.Parameter(uniform_blocks_(weight, width))
        recurrent = torch.empty(directions * neighbours, width, 4 * width)
        # Each neighbour's share is such that together they neither stretch nor shrink a state.
        orthogonal_blocks_(recurrent).mul_(neighbours**-0.5)
        self.weight = nn.Parameter(recurrent.view(directions, neighbours, width, 4 * width))
        bias = torch.zeros(directions, 1, 4 * width)
        self.bias = nn.Parameter(fill_gate_(bias, 1, width, 1.0))

    def forward(self, x: Tensor, course: GridCourse) -> Tensor:
        """Return all pixels of a batch of images: ``(D, N, n_in)`` to h ``(D, N, H)``, both in the
        order of computation; zeros between the steps."""
        zeros = self.bias.new_zeros(x.shape[0], course.n_initial, self.width)
        if lstm_compiles(x, self.bias):
            weights = (self.input_matrix, self.weight, self.bias)
            h, _ = compiled_lstm(x, (zeros, zeros), weights, course)
            return h[:, course.n_initial :]
        return self._step_by_step(x, zeros, course)

    def step(
        self, x: Tensor, neighbours: Sequence[Tensor], c: Tensor, direction: int = 0
    ) -> tuple[Tensor, Tensor]:
        """One pixel: h and c, ``(B, H)``.

        x: ``(B, (reach + 1) * n_in)``. neighbours: h of each, ``(B, H)``. c: the first one's.
        """
        a = torch.addmm(self.bias[direction], x, self.input_matrix[direction])
        for h, matrix in zip(neighbours, self.weight[direction], strict=True):
            a = a.addmm(h, matrix)
        return _lstm(a, c)

    @property
    def input_matrix(self) -> Tensor:
        """W, masked."""
        return self.input_weight if self.mask is None else self.input_weight * self.mask

    def _step_by_step(self, x: Tensor, zeros: Tensor, course: GridCourse) -> Tensor:
        projected = torch.baddbmm(self.bias, x, self.input_matrix)
        gap = zeros[:, :1].expand(-1, course.gap, -1)
        # What the last step has left, and where it begins among all states.
        h = c = zeros
        origin, states = 0, []
        for begin, before, n in course.steps:
            a = projected.narrow(1, begin, n)
            for start, matrix in zip(before, self.weight.unbind(1), strict=True):
                a = a.baddbmm(h.narrow(1, start - origin, n), matrix)
            own_h, own_c = _lstm(a, c.narrow(1, before[0] - origin, n))
            h, c = torch.cat([gap, own_h, gap], 1), torch.cat([gap, own_c, gap], 1)
            origin = course.n_initial + begin - course.gap
            states += [own_h, gap]
        return torch.cat(states, dim=1)


def _lstm(a: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """From the gates' sums ``(..., 4H)`` and the first neighbour's c to h and c, in c's precision
    also under autocast."""
    i, f, g, o = a.to(c.dtype).chunk(4, dim=-1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c
