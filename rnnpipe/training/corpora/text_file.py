"""A text file as one text: its length in characters, and any part of it, block by block."""

from __future__ import annotations

import codecs
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnnpipe.errors import CorpusError, expected

_BLOCK = 1 << 20  # bytes
_BYTE_ORDER_MARK = "\ufeff"


class TextFile:
    """The file is read through once, to count its characters and to see that all can be decoded;
    what is kept is where its blocks begin.

    length: in characters, without a byte order mark.

    Raises CorpusError: no such file, an unknown encoding, or bytes that it cannot decode.
    """

    def __init__(self, path: Path, encoding: str = "utf-8") -> None:
        self.path = path
        self.encoding = encoding
        if not path.is_file():
            got = "a folder" if path.is_dir() else "no such file"
            raise CorpusError(expected(str(path), "a text file", got, "Correct the path."))
        #: Of each block: its first character's number, its offset in bytes, the decoder's state.
        self._blocks: list[tuple[int, int, Any]] = []
        count, self._skip = 0, 0
        decoder = self._decoder()
        with path.open("rb") as file:
            offset, state = 0, decoder.getstate()
            while raw := file.read(_BLOCK):
                self._blocks.append((count, offset, state))
                text = self._decode(decoder, raw, offset)
                if not count and text.startswith(_BYTE_ORDER_MARK):
                    self._skip = 1
                count += len(text)
                offset, state = offset + len(raw), decoder.getstate()
            count += len(self._decode(decoder, b"", offset, final=True))
        self.length = count - self._skip

    def read(self, begin: int, end: int) -> Iterator[str]:
        """The characters ``begin:end``, in pieces."""
        position, end = begin + self._skip, end + self._skip
        if position >= end:
            return
        number, offset, state = self._blocks[bisect_right(self._blocks, position, key=_first) - 1]
        decoder = self._decoder()
        decoder.setstate(state)
        with self.path.open("rb") as file:
            file.seek(offset)
            while number < end and (raw := file.read(1 << 14)):
                text = decoder.decode(raw)
                if number + len(text) > position:
                    yield text[max(0, position - number) : end - number]
                number += len(text)

    def lines(self, begin: int, end: int) -> Iterator[str]:
        """The lines that begin at ``begin:end``, with their line ends. A line that ``begin`` cuts
        in two belongs to the part before."""
        if begin >= end:
            return
        at_start = begin == 0 or "".join(self.read(begin - 1, begin)) == "\n"
        position, line = begin, ""
        for block in self.read(begin, self.length):
            pieces = (line + block).split("\n")
            line = pieces.pop()
            for piece in pieces:
                if at_start:
                    yield piece + "\n"
                at_start = True
                position += len(piece) + 1
                if position >= end:
                    return
        if line and at_start and position < end:
            yield line

    def _decoder(self) -> codecs.IncrementalDecoder:
        try:
            decoder = codecs.getincrementaldecoder(self.encoding)()
            fit = isinstance(decoder.decode(b""), str)
        except (LookupError, TypeError):  # TypeError: from text to text (rot13)
            fit = False
        if not fit:
            where = f"{self.path}: encoding"
            want = "a text encoding (utf-8, latin-1, ...)"
            raise CorpusError(expected(where, want, self.encoding, "Set another encoding."))
        return decoder

    def _decode(
        self, decoder: codecs.IncrementalDecoder, raw: bytes, offset: int, final: bool = False
    ) -> str:
        held = len(decoder.getstate()[0])  # bytes of a character that the last block has begun
        try:
            return decoder.decode(raw, final)
        except UnicodeDecodeError as error:
            byte = f"0x{error.object[error.start]:02x}"
            where = f"{self.path}, byte {offset - held + error.start}"
            do = "Set the reader's encoding to the encoding of the file (latin-1?)."
            raise CorpusError(expected(where, f"text in {self.encoding}", byte, do)) from None


def _first(block: tuple[int, int, Any]) -> int:
    return block[0]
