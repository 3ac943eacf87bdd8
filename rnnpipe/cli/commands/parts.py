"""What a config can name: ``plugins``."""

from __future__ import annotations

import typer


def plugins_cli() -> None:
    """List what other packages add to this one, with their errors; fail if there are any."""
    from rnnpipe.cli.plugins import list_plugins

    if not list_plugins():
        raise typer.Exit(1)
