"""Documents as images: pixels in raster order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnpipe.errors import StructureError
from rnnpipe.structures.sequences import Sequences


@dataclass(frozen=True, kw_only=True)
class Grids(Sequences):
    """A batch of images, of one size or of several. A document's nodes are its pixels in raster
    order: row after row from the top, each from the left.

    shapes: ``(height, width)`` of each document, on the host; ``(0, 0)`` if it has no pixels.
    groups: for each shape that occurs, but for ``(0, 0)``, which documents have it, ``(b,)``.
    places: ``(B,)`` where each document stands when they are sorted by group, empty ones last.
    """

    shapes: tuple[tuple[int, int], ...]
    groups: tuple[tuple[tuple[int, int], Tensor], ...]
    places: Tensor

    @classmethod
    def from_shapes(
        cls, shapes: Sequence[tuple[int, int]], device: torch.device | str = "cpu"
    ) -> Grids:
        """Return the structure of images of these heights and widths.

        RAISES: StructureError for a negative size.
        """
        if any(height < 0 or width < 0 for height, width in shapes):
            raise StructureError(
                f"Grids: expected heights and widths of 0 or more, got {list(shapes)}."
            )
        shapes = tuple((h, w) if h * w else (0, 0) for h, w in shapes)
        lengths = [height * width for height, width in shapes]
        sizes = sorted(set(shapes), reverse=True)
        members = [[i for i, shape in enumerate(shapes) if shape == size] for size in sizes]
        order = torch.tensor([i for rows in members for i in rows], dtype=torch.int64)
        packed = torch.cat([torch.tensor(lengths, dtype=torch.int64), order, order.argsort()])
        on_device, order, places = packed.to(device).view(3, len(shapes))
        rows = torch.split(order, [len(m) for m in members]) if members else ()
        groups = [(size, r) for size, r in zip(sizes, rows, strict=True) if size != (0, 0)]
        return cls(
            on_device,
            max(lengths, default=0),
            tuple(lengths),
            shapes=shapes,
            groups=tuple(groups),
            places=places,
        )

    def map(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """What a function makes of the images, those of one size at a time, so that it need know
        nothing of padding. ``(B, T, D) -> (B, T, E)``, zeros at padding.

        function: from ``(b, height, width, D)`` to ``(b, height, width, E)``.
        """
        if len(set(self.shapes)) == len(self.groups) == 1:
            (shape, _) = self.groups[0]
            return function(x.reshape(len(x), *shape, x.shape[2])).flatten(1, 2)
        if not self.groups:  # zeros that are part of the graph
            none = function(x.new_zeros(0, 1, 1, x.shape[2])).flatten(1, 2)
            return none.sum(0, keepdim=True)[:, :0].expand(len(x), 0, -1) + x.sum()
        parts = []
        for (height, width), rows in self.groups:
            images = x.index_select(0, rows)[:, : height * width]
            states = function(images.reshape(len(rows), height, width, -1)).flatten(1, 2)
            parts.append(torch.nn.functional.pad(states, (0, 0, 0, self.size - states.shape[1])))
        n_empty = len(x) - sum(map(len, parts))
        empty = parts[0].new_zeros(n_empty, self.size, parts[0].shape[2])
        return torch.cat([*parts, empty]).index_select(0, self.places)
