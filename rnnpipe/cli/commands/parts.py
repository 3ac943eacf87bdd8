"""What a config can name: ``list``, ``info``, ``plugins``, ``new-plugin``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnnpipe.cli.options import errors_told


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


def new_plugin_cli(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of the package, such as rnnpipe-acme")
    ],
    kind: Annotated[
        str, typer.Option(help="encoder, pooler, decoder, embedding or filter (of a sampler)")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to make; by default NAME")
    ] = None,
) -> None:
    """Make a package with a part of your own, which a config can then name.

    It installs, trains and passes its tests as it is: an example stands where yours will.

    Try: spacy rnn new-plugin rnnpipe-acme --kind encoder
    """
    with errors_told():
        from rnnpipe.cli.new_plugin import new_plugin

        new_plugin(name, kind, output)
