"""Pictures, drawn by matplotlib without a screen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnpipe.cli.files import replaced, require_suffix
from rnnpipe.errors import SettingsError, expected

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg")
#: How many characters of the text below a figure an inch has room for.
_AN_INCH = 15


def require_picture(path: Path) -> None:
    """To be called before the work that a picture will show.

    Raises SettingsError: matplotlib is not installed, or no format for such a file name."""
    require_suffix(path, SUFFIXES)
    if find_spec("matplotlib") is None:
        do = "Run pip install 'rnnpipe[plots]'."
        raise SettingsError(
            expected("output", "matplotlib, which draws the picture", "no matplotlib", do)
        )


@contextmanager
def picture(path: Path, size: tuple[float, float], reading: str) -> Iterator[Figure]:
    """A figure that is written when the block ends: as PNG or SVG, as the file's name says.

    size: width and height in inches. reading: how to read it, which is written below.

    Raises SettingsError as :func:`require_picture`.
    """
    require_picture(path)
    # Not pyplot: a figure of its own needs no screen, and leaves no state behind.
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    below = textwrap.fill(reading, int(_AN_INCH * size[0]))
    figure.supxlabel(below, x=0.01, ha="left", fontsize=8, color="0.3")
    yield figure
    with replaced(path) as unfinished:
        figure.savefig(unfinished, dpi=150)


def span_at_least(axes: Any, least: float) -> None:
    """Show at least so much of the vertical axis, so that noise does not fill a picture."""
    low, high = axes.get_ylim()
    missing = max(0.0, least - (high - low)) / 2
    axes.set_ylim(low - missing, high + missing)
