"""PNG files to pixels and back, by Pillow."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from rnnpipe.errors import CorpusError, SettingsError, expected

#: Pillow's names of the kinds of images that can be read, and what they are read as.
_KINDS = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB"}


def require_pillow(where: str) -> None:
    """Raises SettingsError if Pillow is not installed. where: what needs it."""
    if find_spec("PIL") is None:
        do = "Run pip install 'rnnpipe[images]'."
        raise SettingsError(expected(where, "Pillow, which reads and writes PNG", "no Pillow", do))


def read_png(path: Path) -> np.ndarray:
    """``(H, W, C)`` uint8, with one channel or three. Raises CorpusError for anything else than
    such a file, SettingsError if Pillow is not installed."""
    require_pillow(str(path))
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        raise CorpusError(expected(str(path), "a PNG file", "no such file", "Correct the path."))
    try:
        with Image.open(path, formats=["PNG"]) as image:
            kind = image.mode
            pixels = np.asarray(image.convert(_KINDS[kind])) if kind in _KINDS else None
    # What Pillow stumbles on depends on where the file is damaged.
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        got = f"no readable image ({error})"
        raise CorpusError(
            expected(str(path), "a PNG file", got, "Convert or remove the file.")
        ) from error
    if pixels is None:
        do = "Convert it to 8 bits per channel, without transparency."
        raise CorpusError(expected(str(path), "a grey or colour image", f"one of {kind}", do))
    return pixels.reshape(*pixels.shape[:2], -1)


def write_png(pixels: np.ndarray, path: Path) -> None:
    """Write ``(H, W, C)`` uint8, with one channel or three. Raises SettingsError if Pillow is not
    installed."""
    require_pillow(str(path))
    from PIL import Image

    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(path, format="PNG")
