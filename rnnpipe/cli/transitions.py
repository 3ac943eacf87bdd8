"""``spacy rnn transitions``: see :mod:`rnnpipe.instruments.transitions`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.table import Column, Table
from rich.text import Text

from rnnpipe.cli.output import PICTURE, require_output, say_written
from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import score_colour
from rnnpipe.cli.pictures.transition_picture import draw_transitions
from rnnpipe.cli.pipelines import load_pipeline, token_labeller
from rnnpipe.instruments.transitions import Transitions
from rnnpipe.instruments.transitions import transitions as read_transitions

#: The most labels of which all transitions are shown; those of more are shown by type.
_ALL = 40
#: How many labels are listed where there is no room for all.
_LISTED = 3
_FORBIDDEN = "×"
#: A width that has room for everything.
_ANY = 1_000_000


def transitions(
    model: str, output: Path | None, force: bool, component: str | None, as_json: bool
) -> None:
    """Print and draw the transition scores of a CRF.

    Raises SettingsError for what is wrong with pipeline or output."""
    require_output(output, force, PICTURE)
    pipe = token_labeller(load_pipeline(model), component)
    found = read_transitions(pipe)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
    if len(found.labels) > _ALL:
        found = found.by_type()
    if not as_json:
        console = Console(highlight=False)
        matrix = _matrix(found)
        wanted = console.measure(matrix, options=console.options.update(width=_ANY)).maximum
        console.print(f"Scores from row to column, in nats; {_FORBIDDEN}: forbidden")
        console.print(matrix if wanted <= console.width else _followers(found))
        console.print(readings.TRANSITIONS_OF_TYPES if found.of_types else readings.TRANSITIONS)
    if output is not None:
        draw_transitions(found, output, f"Transitions of '{pipe.name}'")
        say_written(output)


def _matrix(found: Transitions) -> Table:
    numbers = (Column(Text(name), justify="right", no_wrap=True) for name in found.targets)
    table = Table(Column("", no_wrap=True), *numbers, box=None, padding=(0, 1, 0, 0))
    for name, row in zip(found.sources, found.scores, strict=True):
        table.add_row(Text(name), *(_cell(score) for score in row.tolist()))
    return table


def _cell(score: float) -> Text:
    if not np.isfinite(score):
        return Text(_FORBIDDEN if np.isinf(score) else "")
    background = Color.from_rgb(*score_colour(score))
    return Text(f"{score:+.1f}", Style(color="black", bgcolor=background))


def _followers(found: Transitions) -> Table:
    """The best and the worst of each row."""
    table = Table("From", "Likely to follow", "Unlikely", _FORBIDDEN, box=None)
    for name, row in zip(found.sources, found.scores, strict=True):
        order = [i for i in np.argsort(-row, kind="stable").tolist() if np.isfinite(row[i])]
        best, worst = order[:_LISTED], order[_LISTED:][: -_LISTED - 1 : -1]
        named = (", ".join(f"{found.targets[i]} {row[i]:+.1f}" for i in x) for x in (best, worst))
        table.add_row(Text(name), *map(Text, named), str(int(np.isinf(row).sum())))
    return table
