"""``python -m rnnpipe``: the commands of ``spacy rnn``, without the rest of spaCy's."""

from __future__ import annotations

from rnnpipe.cli import app

if __name__ == "__main__":
    app(prog_name="python -m rnnpipe")
