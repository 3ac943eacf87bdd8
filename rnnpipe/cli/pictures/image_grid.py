"""Images side by side, in a PNG file."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from rnnpipe.cli.files import replaced, require_suffix
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.structures.doc_image import from_levels
from rnnpipe.training.corpora.png import require_pillow, write_png

#: How far apart images are, in their pixels; how bright the gap is; and how large they are drawn.
_GAP, _GREY, _SIDE = 1, 128, 64


def require_png(path: Path) -> None:
    """To be called before the work that the file will show.

    Raises SettingsError for another file name, or if Pillow is not installed."""
    require_suffix(path, [".png"])
    require_pillow("output")


def write_grid(images: np.ndarray, levels: int, path: Path, columns: int | None = None) -> None:
    """Write images row by row, enlarged to about 64 pixels where they are smaller. The file is
    there as a whole or not at all.

    images: ``(n, H, W, C)`` uint8, with one channel or three. levels: how many values a channel may
    have. columns: how many stand in a row; by default as many as there are rows.

    Raises SettingsError as :func:`require_png`, and for another number of channels.
    """
    require_png(path)
    if images.shape[3] not in (1, 3):
        want = "images of 1 or 3 channels, which PNG can show"
        raise SettingsError(expected("output", want, images.shape[3]))
    grid = tiled(from_levels(images, levels), columns or math.ceil(math.sqrt(len(images))))
    scale = max(1, round(_SIDE / max(images.shape[1:3])))
    with replaced(path) as unfinished:
        write_png(grid.repeat(scale, axis=0).repeat(scale, axis=1), unfinished)


def tiled(images: np.ndarray, columns: int) -> np.ndarray:
    """``(n, H, W, C)`` to one image with gaps."""
    n, height, width, channels = images.shape
    rows, down, right = math.ceil(n / columns), height + _GAP, width + _GAP
    grid = np.full((rows * down + _GAP, columns * right + _GAP, channels), _GREY, dtype=np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * down + _GAP, i % columns * right + _GAP
        grid[top : top + height, left : left + width] = image
    return grid
