"""``spacy rnn curves``: a training run, looked back on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnpipe.cli.options import Force, Picture
from rnnpipe.cli.pictures import readings

if TYPE_CHECKING:
    from rich.table import Table

    from rnnpipe.instruments.training_log import Series, TrainingLog

#: The points of a curve in the terminal, at most.
_POINTS = 40


def curves(
    log: Annotated[
        Path, typer.Argument(metavar="LOG", help="Log file, as set in training.logger.path")
    ],
    output: Picture = None,
    force: Force = False,
) -> None:
    """Show the curves of a training run: losses, scores, learning rate, gradient norm.

    Reads the log of rnnpipe.Console.v1, or the output_file of spacy.ConsoleLogger.v3, which has
    losses and scores only. The log of a run in progress can be read, too.

    Try: spacy rnn curves out/log.jsonl --output curves.png
    """
    from rnnpipe.cli.output import PICTURE, printer, require_output, say, say_written
    from rnnpipe.cli.pictures.curve_picture import draw_curves
    from rnnpipe.instruments.training_log import read_training_log

    require_output(output, force, PICTURE)
    read = read_training_log(log)
    if read.cut:
        say(f"The last line of {log} is incomplete and was skipped.")
    out = printer()
    out.print(_table(read, in_blocks=out.encoding.startswith("utf")))
    out.print(readings.CURVES)
    if output is not None:
        draw_curves(read, output, str(log))
        say_written(output)


def _table(log: TrainingLog, in_blocks: bool) -> Table:
    """in_blocks: whether what it is printed on has the characters of which curves are drawn."""
    import numpy as np
    from rich.table import Table

    from rnnpipe.cli.pictures.appearance import sparkline

    best = log.steps[log.score.argmax()]
    table = Table("Curve", "First", "Last", "Least", "Most", "", box=None)
    table.title = f"Steps {log.steps[0]} to {log.steps[-1]}, best score at step {best}"
    for name, values in _curves(log):
        numbers = (values[0], values[-1], np.nanmin(values), np.nanmax(values))
        row = [f"{number:.4g}" for number in numbers]
        table.add_row(name, *row, sparkline(_thinned(values)) if in_blocks else "")
    return table


def _curves(log: TrainingLog) -> Iterator[tuple[str, Series]]:
    """Those with a value."""
    import numpy as np

    named = {f"Loss {name}": values for name, values in log.losses.items()}
    named |= log.scores | {"score": log.score}
    named |= {f"Gradient norm {name}": values for name, values in log.norms.items()}
    named |= {f"Learning rate {name}": values for name, values in log.learn_rates.items()}
    yield from ((name, v) for name, v in named.items() if np.isfinite(v).any())


def _thinned(values: Series) -> Series:
    import numpy as np

    if len(values) <= _POINTS:
        return values
    thinned: Series = values[np.linspace(0, len(values) - 1, _POINTS).round().astype(int)]
    return thinned
