"""Makes ``spacy rnn`` a command of spaCy's: named as an entry point of ``spacy_cli``."""

from __future__ import annotations

from spacy.cli._util import app as spacy_app

from rnnpipe.cli import HELP, app

spacy_app.add_typer(app, name="rnn", help=HELP)
