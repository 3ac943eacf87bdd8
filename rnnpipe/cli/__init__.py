"""``spacy rnn ...`` and ``python -m rnnpipe ...``.

Every ``spacy`` command loads this module, so it imports nothing heavy: a command's own module is
imported when the command runs.
"""

from __future__ import annotations

from pathlib import Path

import typer
from wasabi import msg

from rnnpipe.errors import RnnpipeError

HELP = "Recurrent networks for spaCy: taggers, entity recognisers, text classifiers."

app = typer.Typer(name="rnn", help=HELP, no_args_is_help=True, add_completion=False)

OUTPUT = typer.Argument(Path("quickstart"), help="Folder for data and pipeline")
FORCE = typer.Option(False, "--force", "-F", help="Replace an earlier run's files")


@app.command("quickstart")
def quickstart_cli(output: Path = OUTPUT, force: bool = FORCE) -> None:
    """Train a pipeline on a small sample data set, score it and show what it finds.

    The sample is made up for this purpose: entities and categories of requests to an assistant.
    """
    from rnnpipe.cli.quickstart import quickstart

    try:
        quickstart(output, force)
    except RnnpipeError as error:
        msg.fail(str(error), exits=1)


@app.command("plugins")
def plugins_cli() -> None:
    """List what other packages add to this one, with their errors; fail if there are any."""
    from rnnpipe.cli.plugins import list_plugins

    if not list_plugins():
        raise typer.Exit(1)
