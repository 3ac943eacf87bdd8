"""Pages that need nothing else: one file each, without scripts. All text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from rnnpipe.cli.pictures.appearance import Colour, css, visible

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<title>{title}</title>
<style>
body {{
    background: #fff; color: #000; font: 16px/1.5 sans-serif;
    margin: 2em auto; max-width: 60em; padding: 0 1em;
}}
.text {{
    font: 15px/1.6 monospace; white-space: pre-wrap; overflow-wrap: anywhere;
    border: 1px solid #ddd; padding: 1em;
}}
.key {{
    display: inline-block; width: 10em; height: 1em; vertical-align: middle;
    border: 1px solid #ddd;
}}
{style}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{summary}</p>
{sections}
</body>
</html>
"""
_COLOURED = """<h2>{heading}</h2>
<p>
{least}
<span class="key" style="background: linear-gradient(to right, {colours})"></span>
{most}
</p>
<div class="text">{text}</div>"""


def page(title: str, summary: str, sections: Iterable[str], style: str = "") -> str:
    """sections, style: as HTML and CSS, escaped before."""
    return _PAGE.format(
        title=escape(title), summary=escape(summary), sections="\n".join(sections), style=style
    )


def coloured_text(
    heading: str, ends: tuple[str, str], colours: Iterable[Colour], spans: Iterable[str]
) -> str:
    """A section: a text whose pieces (:func:`coloured`) have the colours of a scale. ends: what
    the least and the largest values of the scale mean. colours: of the scale."""
    least, most = map(escape, ends)
    return _COLOURED.format(
        heading=escape(heading),
        least=least,
        most=most,
        colours=", ".join(map(css, colours)),
        text="".join(spans),
    )


def coloured(
    pieces: Iterable[str], colours: Iterable[Colour], values: Iterable[float], unit: str
) -> Iterator[str]:
    """Pieces of text, each on its colour and with its value under the pointer."""
    for piece, colour, value in zip(pieces, colours, values, strict=True):
        text = escape(visible(piece))
        hint = escape(f"{value:.3f} {unit}")
        yield f'<span style="background: {css(colour)}" title="{hint}">{text}</span>'
