"""Pictures, drawn by matplotlib without a screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rnnpipe.cli.files import replaced, require_suffix
from rnnpipe.errors import SettingsError, expected

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg")


def require_picture(path: Path) -> None:
    """To be called before the work that a picture will show.

    Raises SettingsError: matplotlib is not installed, or no format for such a file name."""
    require_suffix(path, SUFFIXES)
    if find_spec("matplotlib") is None:
        do = "Run pip install 'rnnpipe[plots]'."
        raise SettingsError(expected("output", "matplotlib to draw with", "no matplotlib", do))


@contextmanager
def picture(path: Path, size: tuple[float, float]) -> Iterator[Figure]:
    """A figure that is written when the block ends: as PNG or SVG, as the file's name says.

    size: width and height in inches. Raises SettingsError as :func:`require_picture`.
    """
    require_picture(path)
    # Not pyplot: a figure of its own needs no screen, and leaves no state behind.
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    yield figure
    with replaced(path) as unfinished:
        figure.savefig(unfinished, dpi=150)
