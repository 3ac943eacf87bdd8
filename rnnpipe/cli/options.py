"""Arguments that several commands have, and how their errors are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from rnnpipe.errors import RnnpipeError

Pipeline = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="Folder of a trained pipeline, or the name of an installed one"
    ),
]
Component = Annotated[
    str | None, typer.Option(help="Name of the component, if the pipeline has several of the kind")
]
Encoding = Annotated[str, typer.Option(help="Encoding of the file")]
TextPath = Annotated[Path, typer.Argument(metavar="FILE", help="Text file to read")]
TextGiven = Annotated[Path | None, typer.Argument(metavar="FILE", help="Text file to read")]
TextTyped = Annotated[str | None, typer.Option(help="Text to read instead of a file")]
TextShown = Annotated[str, typer.Argument(metavar="TEXT", help="Text to look at")]
Limit = Annotated[int, typer.Option(min=1, help="Maximum number of characters of the file to read")]
Page = Annotated[Path | None, typer.Option("--output", "-o", help="Page to write: .html")]
Picture = Annotated[
    Path | None, typer.Option("--output", "-o", help="Picture to draw: .png or .svg")
]
Force = Annotated[
    bool, typer.Option("--force", "-F", help="Permission to replace a file that is there already")
]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output instead of a table")]
TEMPERATURE = "Temperature: 0 draws the most likely {0}, 1 as the model has it, more is more daring"


@contextmanager
def errors_told() -> Iterator[None]:
    """Tell what is wrong with the input without a traceback."""
    try:
        yield
    except RnnpipeError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
