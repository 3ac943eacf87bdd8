"""Attention over a text, in the colours of the terminal and as a page."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.text import Text

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import PALE_BLUE, RED, WHITE, on, share_colours, visible
from rnnpipe.cli.pictures.page import Line, Section, page
from rnnpipe.instruments.attention import Attention

#: How many pieces of the text are listed after each line.
_LISTED = 3


def print_attention(attention: Attention, console: Console) -> None:
    """A line for each row: the text, red where it looked, and the pieces that it took most of."""
    console.print(Text(attention.title))
    for name, shares in zip(_names(attention), attention.shares, strict=True):
        line = Text(name, overflow="fold")
        for piece, colour in zip(attention.columns, share_colours(shares), strict=True):
            line.append(visible(piece), on(colour))
        most = np.argsort(-shares, kind="stable")[:_LISTED].tolist()
        listed = (f"{visible(attention.columns[i]).strip()} {shares[i]:.0%}" for i in most)
        console.print(line.append(f"  ({', '.join(listed)})"))
    console.print(readings.ATTENTION)


def attention_page(attention: Attention) -> str:
    """Return the same as HTML; the numbers show under the pointer."""
    lines = [
        Line.of(attention.columns, share_colours(shares), shares.tolist(), name)
        for name, shares in zip(_names(attention), attention.shares, strict=True)
    ]
    even = 1 / len(attention.columns)
    least = f"a tenth of an even share ({even:.1%}), or less"
    most, unit = "ten times an even share, or more", "of the attention of the line"
    scale = (PALE_BLUE, WHITE, RED)
    section = Section("Attention weights", least, most, scale, unit, lines)
    hint = f"{readings.ATTENTION} Point at a piece of text to see its share."
    return page("coloured.html", attention.title, hint, sections=[section])


def _names(attention: Attention) -> list[str]:
    """What each line begins with; a single one needs no name."""
    if len(attention.rows) == 1:
        return [""]
    names = [visible(name).strip() for name in attention.rows]
    width = max(map(len, names))
    return [f"{name:<{width}}  " for name in names]
