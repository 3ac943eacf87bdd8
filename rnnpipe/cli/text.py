"""The text file that a command is about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rnnpipe.corpora.files import read_lines
from rnnpipe.corpora.text_file import TextFile
from rnnpipe.errors import CorpusError, expected


def open_text(path: Path, encoding: str) -> TextFile:
    """Raises CorpusError if there is no such file, it has no text, or is in another encoding."""
    file = TextFile(path, encoding)
    if not file.length:
        raise _nothing(path)
    return file


def filled_lines(path: Path, encoding: str) -> Iterator[str]:
    """The lines that are not blank. Raises CorpusError as :func:`open_text`."""
    empty = True
    for _, line in read_lines(path, encoding):
        if line and not line.isspace():
            empty = False
            yield line
    if empty:
        raise _nothing(path)


def _nothing(path: Path) -> CorpusError:
    return CorpusError(expected(str(path), "a file with text in it", "no text", "Name another."))
