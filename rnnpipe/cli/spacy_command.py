"""Makes ``spacy rnn`` a command of spaCy's: named as an entry point of ``spacy_cli``."""

from __future__ import annotations

from rnnpipe.cli import HELP, app
from rnnpipe.contracts.compat import private

private("spacy.cli.app").add_typer(app, name="rnn", help=HELP)
