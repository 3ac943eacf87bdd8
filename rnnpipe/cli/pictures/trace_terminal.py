"""A trace in colours of the terminal."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import (
    Colour,
    activation_colours,
    is_squashed,
    loss_colours,
    on,
    visible,
)
from rnnpipe.instruments.trace import Trace

#: How many of the most surprising pieces are listed, and how much of the text before them.
_LISTED, _CONTEXT = 8, 24


def print_trace(trace: Trace, console: Console) -> None:
    """The text on the colours of its losses, then of each activation, then the worst pieces."""
    console.rule(f"Loss: white 0 nats, red {trace.guess:.2f} (a random guess) and above")
    console.print(_coloured(trace.pieces, loss_colours(trace.nats, trace.guess)))
    for name, values in trace.activations.items():
        shown = f"tanh({name})" if is_squashed(values) else name
        console.rule(f"Unit {trace.cell} (layer:unit), {shown}: blue -1, white 0, red 1")
        console.print(_coloured(trace.pieces, activation_colours(values)))
    console.rule("Most surprising")
    console.print(_worst(trace))
    console.print(f"{trace.nats.mean():.3f} nats per piece, {len(trace.pieces)} pieces")
    console.print(readings.LOSS, highlight=False)


def _coloured(pieces: Iterable[str], colours: Iterable[Colour]) -> Text:
    text = Text(overflow="fold")
    for piece, colour in zip(pieces, colours, strict=True):
        text.append(visible(piece), on(colour))
    return text


def _worst(trace: Trace) -> Table:
    table = Table("nats", "probability", "piece", "after", box=None)
    for i in np.argsort(-trace.nats, kind="stable")[:_LISTED].tolist():
        before = "".join(trace.pieces[max(0, i - _CONTEXT) : i])[-_CONTEXT:]
        nats = float(trace.nats[i])
        row = (f"{nats:.2f}", f"{np.exp(-nats):.2g}", repr(trace.pieces[i]), repr(before))
        table.add_row(*map(Text, row))
    return table
