"""Text files line by line, numbered, read as they are needed."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from pathlib import Path

from rnnpipe.errors import CorpusError, expected

_BYTE_ORDER_MARK = "\ufeff"


def read_lines(path: Path, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    r"""Return the lines of a file with their numbers, from 1, without line ends, one at a time.

    A line ends with ``\n`` or ``\r\n`` and nothing else: not with the form feeds and Unicode
    separators that stand inside the tokens of real data.

    Raises CorpusError: no such file, an unfit encoding, or bytes that it cannot decode.
    """
    decode = _decoder(encoding, path)
    if not path.is_file():
        got = "a folder" if path.is_dir() else "no such file"
        raise CorpusError(expected(str(path), "a text file", got, "Correct the path."))
    offset = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                line = decode(raw)[0]
            except UnicodeDecodeError as error:
                where = f"{path}:{number}, byte {offset + error.start} of the file"
                do = "Set the reader's encoding to the encoding of the file (latin-1?)."
                byte = f"0x{raw[error.start]:02x}"
                raise CorpusError(expected(where, f"text in {encoding}", byte, do)) from None
            yield number, line.removeprefix(_BYTE_ORDER_MARK if number == 1 else "").rstrip("\r\n")
            offset += len(raw)


def _decoder(encoding: str, path: Path) -> Callable[[bytes], tuple[str, int]]:
    """The decoding function of an encoding in which lines can be told apart before decoding."""
    try:
        decode = codecs.lookup(encoding).decode
        fit = decode(b"\n") == ("\n", 1)
    except (LookupError, UnicodeError, TypeError):  # TypeError: from text to text (rot13)
        fit = False
    if not fit:
        want = "a text encoding in which the byte 0x0a ends a line (utf-8, latin-1, ...)"
        do = "Set another encoding, or convert the file to utf-8."
        raise CorpusError(expected(f"{path}: encoding", want, encoding, do))
    return decode
