"""The text that a command is about, in a file or on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rnnpipe.errors import CorpusError, SettingsError, expected
from rnnpipe.training.corpora.files import read_lines
from rnnpipe.training.corpora.text_file import TextFile


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


def beginning(path: Path, encoding: str, limit: int) -> str:
    """At most so many characters of a file. Raises CorpusError as :func:`open_text`."""
    file = open_text(path, encoding)
    return "".join(file.read(0, min(limit, file.length)))


def given_text(
    command: str, path: Path | None, text: str | None, *, encoding: str, limit: int
) -> str:
    """The beginning of a file, or a text from the command line, whichever is given.

    Raises SettingsError for neither, both or no text; CorpusError for what is wrong with it."""
    if (path is None) == (text is None):
        got = "no text" if path is None else "both"
        raise SettingsError(expected(command, "either FILE or --text", got, "Pass one of the two."))
    read = typed(text or "", "--text") if path is None else beginning(path, encoding, limit)
    if not read:
        raise SettingsError(
            expected("--text", "some text", "no text", "Pass at least one character.")
        )
    return read


def typed(text: str, where: str) -> str:
    """A text from the command line. Raises CorpusError for bytes that the shell's encoding has no
    characters for, which Python hands over as half a surrogate pair each."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        do = "Convert it to the encoding of your terminal."
        raise CorpusError(expected(where, "text", text[error.start], do)) from None
    return text


def whose(model: str, path: Path | None) -> str:
    """For titles: a pipeline, by the end of its path, and the text that it is given."""
    return f"{path_end(model)} on {text_name(path)}"


def path_end(model: str) -> str:
    """The end of a pipeline's path: ``out/model-best``."""
    return str(Path(*Path(model).parts[-2:]))


def text_name(path: Path | None) -> str:
    return "a text" if path is None else path.name


def _nothing(path: Path) -> CorpusError:
    return CorpusError(
        expected(str(path), "a file with text in it", "no text", "Choose another file.")
    )
