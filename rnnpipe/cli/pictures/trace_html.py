"""A trace as a page."""

from __future__ import annotations

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import (
    BLUE,
    RED,
    WHITE,
    activation_colours,
    is_squashed,
    loss_colours,
)
from rnnpipe.cli.pictures.page import Line, Section, page
from rnnpipe.instruments.trace import Trace


def html_page(trace: Trace, title: str) -> str:
    """Return each piece on the colour of its loss and, in a section of its own, of each activation;
    the numbers show under the pointer."""
    nats = trace.nats
    mean = f"{nats.mean():.3f} nats per piece, " if len(nats) else ""
    worst = f"{trace.guess:.2f} nats: a random guess, or worse"
    losses = Line.of(trace.pieces, loss_colours(nats, trace.guess), nats)
    sections = [Section("Loss", "0 nats: certain", worst, (WHITE, RED), "nats", [losses])]
    for name, values in trace.activations.items():
        shown = f"tanh({name})" if is_squashed(values) else name
        heading = f"Unit {trace.cell} (layer:unit), {shown}"
        line = Line.of(trace.pieces, activation_colours(values), values)
        sections.append(Section(heading, "-1", "1", (BLUE, WHITE, RED), name, [line]))
    summary = f"{mean}{len(nats)} pieces. {readings.LOSS} Point at a piece to see its value."
    return page("coloured.html", title, summary, sections=sections)
