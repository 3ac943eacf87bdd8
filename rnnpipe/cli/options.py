"""What the commands have in common: arguments, and how errors are told."""

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
TextPath = Annotated[Path, typer.Argument(metavar="FILE", help="A text file")]
TextGiven = Annotated[Path | None, typer.Argument(metavar="FILE", help="A text file")]
TextTyped = Annotated[str | None, typer.Option(help="A text, instead of a file")]
TextShown = Annotated[str, typer.Argument(metavar="TEXT", help="The text to look at")]
Limit = Annotated[int, typer.Option(min=1, help="Read at most so many characters of the file")]
Page = Annotated[Path | None, typer.Option("--output", "-o", help="Page to write: .html")]
Picture = Annotated[
    Path | None, typer.Option("--output", "-o", help="Picture to draw: .png or .svg")
]
Force = Annotated[
    bool, typer.Option("--force", "-F", help="Replace the file if there is one already")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table")]


@contextmanager
def errors_told() -> Iterator[None]:
    """What is wrong with the input is told without a traceback."""
    try:
        yield
    except RnnpipeError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
