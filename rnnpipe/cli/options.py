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
Component = Annotated[str | None, typer.Option(help="Name of the component, if several fit")]
Encoding = Annotated[str, typer.Option(help="Encoding of the file")]
TextPath = Annotated[Path, typer.Argument(metavar="FILE", help="Text file to read")]
TextGiven = Annotated[Path | None, typer.Argument(metavar="FILE", help="Text file to read")]
TextTyped = Annotated[str | None, typer.Option(help="Text to read instead of a file")]
TextShown = Annotated[str, typer.Argument(metavar="TEXT", help="Input text")]
Limit = Annotated[int, typer.Option(min=1, help="Maximum number of characters of the file to read")]
Page = Annotated[Path | None, typer.Option("--output", "-o", help="Output page (.html)")]
Picture = Annotated[
    Path | None, typer.Option("--output", "-o", help="Output picture (.png or .svg)")
]
Force = Annotated[
    bool, typer.Option("--force", "-F", help="Permission to replace an existing file")
]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output instead of a table")]
TEMPERATURE = (
    "Temperature: 0 takes the most likely {0}, 1 samples from the model as it is, larger values "
    "give more variety"
)


@contextmanager
def errors_told() -> Iterator[None]:
    """Tell what is wrong with the input without a traceback."""
    try:
        yield
    except RnnpipeError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
