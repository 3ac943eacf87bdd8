"""``spacy rnn ...`` and ``python -m rnnpipe ...``."""

from rnnpipe.cli.commands import HELP, app

__all__ = ["HELP", "app"]
