"""A picture of a matrix of attention."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnnpipe.cli.pictures.appearance import visible
from rnnpipe.cli.pictures.pictures import picture
from rnnpipe.instruments.attention import Attention

#: The longest names, in characters, that are written upright under their columns.
_UPRIGHT = 3
#: The longest side of a picture, in inches: there is a limit to what can be drawn.
_LONGEST = 60.0


def _labels(names: Sequence[str]) -> list[str]:
    """Without the spaces around words, which would leave gaps."""
    return [visible(name.strip(" ") or name) for name in names]


def draw_attention(attention: Attention, path: Path) -> None:
    """A heat map with every row and column named."""
    n_rows, n_columns = attention.shares.shape
    width, height = max(5.0, 2.0 + 0.35 * n_columns), max(2.4, 1.8 + 0.35 * n_rows)
    with picture(path, (min(width, _LONGEST), min(height, _LONGEST))) as figure:
        axes = figure.subplots()
        image = axes.imshow(attention.shares, cmap="Blues", vmin=0.0, aspect="auto")
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
        figure.colorbar(image, label="Share of the row")
