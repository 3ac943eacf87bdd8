"""A trace as a page: one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from rnnpipe.instruments.appearance import (
    BLUE,
    RED,
    WHITE,
    Colour,
    activation_colours,
    css,
    is_squashed,
    loss_colours,
    visible,
)
from rnnpipe.instruments.trace import Trace

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
</style>
</head>
<body>
<h1>{title}</h1>
<p>{summary}</p>
{sections}
</body>
</html>
"""
_SECTION = """<h2>{heading}</h2>
<p>
{least}
<span class="key" style="background: linear-gradient(to right, {colours})"></span>
{most}
</p>
<div class="text">{text}</div>"""


def html_page(trace: Trace, title: str) -> str:
    """Each piece on the colour of its loss and, in a section of its own, of each activation;
    the numbers show under the pointer."""
    nats = trace.nats
    mean = f"{nats.mean():.3f} nats a piece, " if len(nats) else ""
    sections = [
        _section(
            "Loss",
            ("0 nats: certain", f"{trace.guess:.2f} nats: a blind guess, or worse"),
            (WHITE, RED),
            _spans(trace.pieces, loss_colours(nats, trace.guess), nats, "nats"),
        )
    ]
    for name, values in trace.activations.items():
        shown = f"tanh({name})" if is_squashed(values) else name
        sections.append(
            _section(
                f"Unit {trace.cell} (layer:unit), {shown}",
                ("-1", "1"),
                (BLUE, WHITE, RED),
                _spans(trace.pieces, activation_colours(values), values, name),
            )
        )
    summary = f"{mean}{len(nats)} pieces. Point at one to see its number."
    return _PAGE.format(title=escape(title), summary=summary, sections="\n".join(sections))


def _section(
    heading: str, ends: tuple[str, str], colours: Iterable[Colour], spans: Iterable[str]
) -> str:
    least, most = map(escape, ends)
    return _SECTION.format(
        heading=escape(heading),
        least=least,
        most=most,
        colours=", ".join(map(css, colours)),
        text="".join(spans),
    )


def _spans(
    pieces: Iterable[str], colours: Iterable[Colour], values: Iterable[float], unit: str
) -> Iterator[str]:
    for piece, colour, value in zip(pieces, colours, values, strict=True):
        text = escape(visible(piece))
        hint = escape(f"{value:.3f} {unit}")
        yield f'<span style="background: {css(colour)}" title="{hint}">{text}</span>'
