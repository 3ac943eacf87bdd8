"""Before, during and after training: ``curves``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnnpipe.cli.commands.options import Force, errors_told


def curves_cli(
    log: Annotated[
        Path, typer.Argument(metavar="LOG", help="The file that training.logger.path named")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Picture to draw: .png or .svg")
    ] = None,
    force: Force = False,
) -> None:
    """Show how a training run went: losses, scores, learn rate, gradient norm.

    The log is that of rnnpipe.Console.v1, or of spacy.ConsoleLogger.v3 (its output_file), which has
    losses and scores. A run that is going on can be looked at.

    Try: spacy rnn curves out/log.jsonl --output curves.png
    """
    with errors_told():
        from rnnpipe.cli.curves import curves

        curves(log, output, force)
