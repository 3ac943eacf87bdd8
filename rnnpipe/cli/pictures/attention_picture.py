"""A picture of a matrix of attention."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import (
    MOST_TIMES,
    PALE_BLUE,
    RED,
    WHITE,
    css,
    times_even,
    visible,
)
from rnnpipe.cli.pictures.pictures import picture
from rnnpipe.instruments.attention import Attention

#: Of a tenth of an even share, an even share, and ten times that.
_COLOURS = (PALE_BLUE, WHITE, RED)
#: The longest names, in characters, that are written upright under their columns.
_UPRIGHT = 3
#: The longest side of a picture, in inches: there is a limit to what can be drawn.
_LONGEST = 60.0


def _labels(names: Sequence[str]) -> list[str]:
    """Without the spaces around words, which would leave gaps."""
    return [visible(name.strip(" ") or name) for name in names]


def draw_attention(attention: Attention, path: Path) -> None:
    """A heat map with every row and column named: red is more than an even share, blue less."""
    from matplotlib.colors import LinearSegmentedColormap, LogNorm

    n_rows, n_columns = attention.shares.shape
    width, height = max(6.0, 2.0 + 0.35 * n_columns), max(3.0, 2.4 + 0.35 * n_rows)
    size = (min(width, _LONGEST), min(height, _LONGEST))
    with picture(path, size, readings.ATTENTION) as figure:
        axes = figure.subplots()
        colours = LinearSegmentedColormap.from_list("shares", list(map(css, _COLOURS)), N=257)
        scale = LogNorm(1 / MOST_TIMES, MOST_TIMES)
        shown = times_even(attention.shares)
        image = axes.imshow(shown, cmap=colours, norm=scale, aspect="auto")
        columns, rows = _labels(attention.columns), _labels(attention.rows)
        axes.set_xticks(range(n_columns), columns)
        if any(len(label) > _UPRIGHT for label in columns):
            axes.tick_params("x", rotation=60)
            for label in axes.get_xticklabels():
                label.set(ha="right", rotation_mode="anchor")
        axes.set_yticks(range(n_rows), rows)
        axes.set_xlabel(attention.column_title)
        axes.set_ylabel(attention.row_title)
        axes.set_title(attention.title)
        for text in (*axes.get_xticklabels(), *axes.get_yticklabels(), axes.title):
            text.set_parse_math(False)  # a dollar does not begin a formula
        bar = figure.colorbar(
            image, label=f"Share of the row\n(white: 1/{n_columns}, an even share)"
        )
        ticks = [1 / MOST_TIMES, 1.0, MOST_TIMES]
        names = [f"≤ {ticks[0]:g}/n", "1/n", f"≥ {ticks[2]:g}/n"]
        bar.set_ticks(ticks, labels=names)
        bar.minorticks_off()
