"""Attention over a text, in the colours of the terminal and as a page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.text import Text

from rnnpipe.cli.pictures.appearance import BLUE, WHITE, Colour, blend, on, visible
from rnnpipe.cli.pictures.page import Line, Section, page
from rnnpipe.instruments.attention import Attention

#: How many pieces of the text are listed after each line.
_LISTED = 3


def print_attention(attention: Attention, console: Console) -> None:
    """A line for each row: the text, blue where it looked, and the pieces that it took most of."""
    console.print(Text(attention.title))
    rows = zip(_names(attention), attention.shares, _colours(attention), strict=True)
    for name, shares, colours in rows:
        line = Text(name, overflow="fold")
        for piece, colour in zip(attention.columns, colours, strict=True):
            line.append(visible(piece), on(colour))
        most = np.argsort(-shares, kind="stable")[:_LISTED].tolist()
        listed = (f"{visible(attention.columns[i]).strip()} {shares[i]:.0%}" for i in most)
        console.print(line.append(f"  ({', '.join(listed)})"))
    console.print(f"White: 0%, blue: {attention.shares.max():.0%} of what a line took")


def attention_page(attention: Attention) -> str:
    """Return the same as HTML; the numbers show under the pointer."""
    rows = zip(_names(attention), attention.shares.tolist(), _colours(attention), strict=True)
    lines = [Line.of(attention.columns, colours, shares, name) for name, shares, colours in rows]
    most, unit = f"{attention.shares.max():.0%}", "of what the line took"
    section = Section("Where it looks", "0%", most, (WHITE, BLUE), unit, lines)
    hint = "Point at a piece of text to see its share."
    return page("coloured.html", attention.title, hint, sections=[section])


def _names(attention: Attention) -> list[str]:
    """What each line begins with; a single one needs no name."""
    if len(attention.rows) == 1:
        return [""]
    names = [visible(name).strip() for name in attention.rows]
    width = max(map(len, names))
    return [f"{name:<{width}}  " for name in names]


def _colours(attention: Attention) -> Iterator[list[Colour]]:
    largest = float(attention.shares.max()) or 1.0
    for shares in attention.shares.tolist():
        yield [blend(BLUE, share / largest) for share in shares]
