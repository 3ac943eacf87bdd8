"""The text that a command is about, in a file or on the command line; and what it says itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

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


def typed(text: str, where: str) -> str:
    """A text from the command line. Raises CorpusError for bytes that the shell's encoding has no
    characters for, which Python hands over as half a surrogate pair each."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        do = "Convert it to the encoding of your terminal."
        raise CorpusError(expected(where, "text", text[error.start], do)) from None
    return text


def say(text: str) -> None:
    """On standard error, beside what a command prints."""
    Console(stderr=True).print(text, highlight=False, markup=False, soft_wrap=True)


def say_written(path: Path) -> None:
    say(f"Wrote {path}")


def _nothing(path: Path) -> CorpusError:
    return CorpusError(expected(str(path), "a file with text in it", "no text", "Name another."))
