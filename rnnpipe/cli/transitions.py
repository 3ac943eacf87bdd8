"""``spacy rnn transitions``: see :mod:`rnnpipe.instruments.transitions`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnpipe.cli.options import Component, Force, Json, Picture, Pipeline
from rnnpipe.cli.pictures import readings

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from rnnpipe.instruments.transitions import Transitions

#: The most labels of which all transitions are shown; those of more are shown by type.
_ALL = 40
#: How many labels are listed where there is no room for all.
_LISTED = 3
_FORBIDDEN = "×"
#: A width that has room for everything.
_ANY = 1_000_000


def transitions(
    model: Pipeline,
    output: Picture = None,
    force: Force = False,
    component: Component = None,
    json: Json = False,
) -> None:
    """Show the transition scores of a CRF: which labels can follow a label, and which tend to.

    Includes the transitions from the start and to the end of a document. Transitions that the tag
    scheme forbids are marked.

    Try: spacy rnn transitions out/model-best --output transitions.png
    """
    from rnnpipe.cli.output import PICTURE, print_json, printer, require_output, say_written
    from rnnpipe.cli.pictures.transition_picture import draw_transitions
    from rnnpipe.cli.pipelines import load_pipeline, token_labeller
    from rnnpipe.instruments.transitions import transitions as read_transitions

    require_output(output, force, PICTURE)
    pipe = token_labeller(load_pipeline(model), component)
    found = read_transitions(pipe)
    if json:
        print_json(found.as_json())
    if len(found.labels) > _ALL:
        found = found.by_type()
    if not json:
        out = printer()
        matrix = _matrix(found)
        wanted = out.measure(matrix, options=out.options.update(width=_ANY)).maximum
        out.print(f"Scores from row to column, in nats; {_FORBIDDEN}: forbidden")
        out.print(matrix if wanted <= out.width else _followers(found))
        out.print(readings.TRANSITIONS_OF_TYPES if found.of_types else readings.TRANSITIONS)
    if output is not None:
        draw_transitions(found, output, f"Transitions of '{pipe.name}'")
        say_written(output)


def _matrix(found: Transitions) -> Table:
    from rich.table import Column, Table

    numbers = (Column(name, justify="right", no_wrap=True) for name in found.targets)
    table = Table(Column("", no_wrap=True), *numbers, box=None, padding=(0, 1, 0, 0))
    for name, row in zip(found.sources, found.scores, strict=True):
        table.add_row(name, *(_cell(score) for score in row.tolist()))
    return table


def _cell(score: float) -> Text:
    from rich.text import Text

    from rnnpipe.cli.pictures.appearance import on, score_colour

    if not math.isfinite(score):
        return Text(_FORBIDDEN if math.isinf(score) else "")
    return Text(f"{score:+.1f}", on(score_colour(score)))


def _followers(found: Transitions) -> Table:
    """The best and the worst of each row."""
    import numpy as np
    from rich.table import Table

    table = Table("From", "Likely to follow", "Unlikely", _FORBIDDEN, box=None)
    for name, row in zip(found.sources, found.scores, strict=True):
        order = [i for i in np.argsort(-row, kind="stable").tolist() if np.isfinite(row[i])]
        best, worst = order[:_LISTED], order[_LISTED:][: -_LISTED - 1 : -1]
        named = (", ".join(f"{found.targets[i]} {row[i]:+.1f}" for i in x) for x in (best, worst))
        table.add_row(name, *named, str(int(np.isinf(row).sum())))
    return table
