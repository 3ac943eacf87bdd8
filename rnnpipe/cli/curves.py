"""``spacy rnn curves``: a training run, looked back on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from rnnpipe.cli.output import PICTURE, require_output, say_written
from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import sparkline
from rnnpipe.cli.pictures.curve_picture import draw_curves
from rnnpipe.cli.text import say
from rnnpipe.instruments.training_log import Series, TrainingLog, read_training_log

#: The points of a curve in the terminal, at most.
_POINTS = 40


def curves(path: Path, output: Path | None, force: bool) -> None:
    """Print each curve of a training log in short, and draw them all.

    Raises CorpusError for what is no such log, SettingsError for what is wrong with output."""
    require_output(output, force, PICTURE)
    log = read_training_log(path)
    if log.cut:
        say(f"The last line of {path} is not whole and was left out.")
    console = Console()
    console.print(_table(log, in_blocks=console.encoding.startswith("utf")))
    console.print(readings.CURVES, highlight=False)
    if output is not None:
        draw_curves(log, output, str(path))
        say_written(output)


def _table(log: TrainingLog, in_blocks: bool) -> Table:
    """in_blocks: whether what it is printed on has the characters of which curves are drawn."""
    best = log.steps[log.score.argmax()]
    table = Table("Curve", "First", "Last", "Least", "Most", "", box=None)
    table.title = f"Steps {log.steps[0]} to {log.steps[-1]}, the best score after step {best}"
    for name, values in _curves(log):
        numbers = (values[0], values[-1], np.nanmin(values), np.nanmax(values))
        row = [f"{number:.4g}" for number in numbers]
        table.add_row(name, *row, sparkline(_thinned(values)) if in_blocks else "")
    return table


def _curves(log: TrainingLog) -> Iterator[tuple[str, Series]]:
    """Those with a value."""
    named = {f"Loss {name}": values for name, values in log.losses.items()}
    named |= log.scores | {"score": log.score}
    named |= {f"Gradient norm {name}": values for name, values in log.norms.items()}
    named |= {f"Learn rate {name}": values for name, values in log.learn_rates.items()}
    yield from ((name, v) for name, v in named.items() if np.isfinite(v).any())


def _thinned(values: Series) -> Series:
    if len(values) <= _POINTS:
        return values
    thinned: Series = values[np.linspace(0, len(values) - 1, _POINTS).round().astype(int)]
    return thinned
