"""What a config can name: ``list``, ``info``, ``plugins``."""

from __future__ import annotations

from typing import Annotated

import typer

from rnnpipe.cli.commands.options import errors_told


def list_cli(
    registry: Annotated[
        str | None,
        typer.Argument(metavar="[REGISTRY]", help="Only these, with a sentence about each"),
    ] = None,
) -> None:
    """List all that a config can name, of this package and of plugins.

    Try: spacy rnn list encoders
    """
    with errors_told():
        from rnnpipe.cli.listing import list_parts

        list_parts(registry)


def info_cli(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="As in a config, or its middle: LSTM")
    ],
) -> None:
    """Say what a part is: its equation and paper, its settings, how a config names it.

    Try: spacy rnn info rnnpipe.LSTM.v1, spacy rnn info rnn_ner
    """
    with errors_told():
        from rnnpipe.cli.listing import show_part

        show_part(name)


def plugins_cli() -> None:
    """List what other packages add to this one, with their errors; fail if there are any."""
    from rnnpipe.cli.plugins import list_plugins

    if not list_plugins():
        raise typer.Exit(1)
