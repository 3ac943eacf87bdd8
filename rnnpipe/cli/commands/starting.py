"""To begin with: ``quickstart``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnnpipe.cli.commands.options import errors_told


def quickstart_cli(
    output: Annotated[Path, typer.Argument(help="Folder for data and pipeline")] = Path(
        "quickstart"
    ),
    force: Annotated[
        bool, typer.Option("--force", "-F", help="Replace an earlier run's files")
    ] = False,
) -> None:
    """Train a pipeline on a small sample data set, score it and show what it finds.

    The sample is made up for this purpose: entities and categories of requests to an assistant.
    """
    with errors_told():
        from rnnpipe.cli.quickstart import quickstart

        quickstart(output, force)
