"""``rnnpipe.Bytes.v1``: a symbol is a byte of the text in UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from rnnpipe.contracts.registry import symbols
from rnnpipe.contracts.types import DocLike, Symbols, SymbolsBuilder
from rnnpipe.parts.symbols.characters import character_counts, code_points


@symbols("rnnpipe.Bytes.v1")
def Bytes() -> SymbolsBuilder:
    """The bytes of a document's text in UTF-8, all 256 of them: nothing is unknown.

    Bytes that are not UTF-8 are written as U+FFFD."""
    return BytesBuilder()


class BytesBuilder:
    def measure(self, docs: Iterable[DocLike]) -> dict[str, Any]:
        return {}

    def build(self, facts: dict[str, Any]) -> Symbols:
        return ByteSymbols()


class ByteSymbols:
    def __len__(self) -> int:
        return 256 + 2

    def read(self, doc: DocLike) -> np.ndarray:
        return self.encode(doc.text)

    def owners(self, doc: DocLike) -> np.ndarray:
        owner = np.repeat(np.arange(len(doc)), character_counts(doc))
        return np.repeat(owner, _sizes(code_points(doc.text)))

    def encode(self, text: str) -> np.ndarray:
        encoded = text.encode("utf-8", "surrogatepass")
        return np.frombuffer(encoded, dtype=np.uint8).astype(np.int64) + 2

    def unknown(self, text: str) -> list[str]:
        return []

    def pieces(self, doc: DocLike) -> list[str]:
        return [f"{number - 2:02x}" for number in self.read(doc).tolist()]

    def writer(self) -> Callable[[int], str]:
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        return lambda symbol: decode(bytes([symbol - 2])) if symbol >= 2 else ""


def _sizes(points: np.ndarray) -> np.ndarray:
    """How many bytes each character has in UTF-8."""
    return 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
