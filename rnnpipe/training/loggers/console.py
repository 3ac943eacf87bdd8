"""``rnnpipe.Console.v1``: a training run in the terminal and in a file.

spaCy imports this module whenever it looks for a logger, so it imports next to nothing itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from spacy.language import Language
from spacy.util import registry

from rnnpipe.contracts.settings import checked
from rnnpipe.errors import SettingsError, expected

#: What spaCy calls after each step, with what an evaluation has shown if there was one; and at the
#: end.
Callbacks = tuple[Callable[[dict[str, Any] | None], None], Callable[[], None]]


@checked("loggers", "rnnpipe.Console.v1")
def Console(
    progress_bar: bool = True,
    console_output: bool = True,
    path: Path | None = None,
    overwrite: bool = False,
) -> Callable[..., Callbacks]:
    """A row for each evaluation, as spaCy's own logger prints it, with gradients and speed besides.

    For each component there is the norm of all its gradients together, before clipping, as the
    mean over the steps since the last row (``NORM``), and the share of these steps that were
    clipped (``CLIP``); then words a second, evaluations apart (``W/S``), and how long the run goes
    on, if patience does not end it (``LEFT``).

    progress_bar: on standard error, if that is a terminal: steps, gradients, time left.
    console_output: the rows.
    path: of a file that gets a line of JSON for each row, with the keys of spaCy's
        ``ConsoleLogger.v3`` and ours; ``spacy rnn curves`` draws it.
    overwrite: whether such a file may be there already.

    Raises SettingsError when training begins: a file is there, or cannot be written.
    """

    def setup(
        nlp: Language, stdout: IO[str] = sys.stdout, stderr: IO[str] = sys.stderr
    ) -> Callbacks:
        from rnnpipe.training.loggers.run import Run

        run = Run(
            nlp,
            rows=stdout if console_output else None,
            bar=stderr if progress_bar else None,
            file=None if path is None else _open(path, overwrite),
        )
        return run.step, run.close

    return setup


registry.loggers("rnnpipe.Console.v1", func=Console)


def _open(path: Path, overwrite: bool) -> IO[str]:
    where = f"training.logger.path {path}"
    if path.exists() and not overwrite:
        do = "Choose another file, or set training.logger.overwrite."
        raise SettingsError(expected(where, "a new file", "an existing file", do))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8")
    except OSError as error:
        do = "Choose another file."
        raise SettingsError(expected(where, "a writable file", str(error), do)) from None
