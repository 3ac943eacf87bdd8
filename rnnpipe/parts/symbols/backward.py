"""``rnnpipe.Backward.v1``: the symbols of another kind, read from the last to the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnpipe.contracts.registry import symbols as register
from rnnpipe.contracts.types import DocLike, Symbols, SymbolsBuilder
from rnnpipe.parts.symbols.characters import Characters


@register("rnnpipe.Backward.v1")
@dataclass(frozen=True)
class Backward:
    """Every document back to front: a language model over them reads from the end to the beginning
    and predicts what stands before. Nothing else in a pipeline need know.

    symbols: what is read; by default ``rnnpipe.Characters.v1``.

    To train on streams, set ``backward = true`` in ``rnnpipe.TextStream.v1``, which then reads the
    file from its end. Generated text stands before the prompt, and comes back to front.
    """

    symbols: SymbolsBuilder | None = None

    @property
    def forward(self) -> SymbolsBuilder:
        return Characters() if self.symbols is None else self.symbols

    def measure(self, docs: Iterable[DocLike]) -> dict[str, Any]:
        return self.forward.measure(docs)

    def build(self, facts: dict[str, Any]) -> BackwardSymbols:
        return BackwardSymbols(self.forward.build(facts))


class BackwardSymbols:
    """forward: the same symbols from the first to the last."""

    def __init__(self, forward: Symbols) -> None:
        self.forward = forward

    def __len__(self) -> int:
        return len(self.forward)

    def read(self, doc: DocLike) -> np.ndarray:
        return _reversed(self.forward.read(doc))

    def owners(self, doc: DocLike) -> np.ndarray:
        return _reversed(self.forward.owners(doc))

    def encode(self, text: str) -> np.ndarray:
        return _reversed(self.forward.encode(text))

    def unknown(self, text: str) -> list[str]:
        return self.forward.unknown(text)[::-1]

    def pieces(self, doc: DocLike) -> list[str]:
        return self.forward.pieces(doc)[::-1]

    def writer(self) -> Callable[[int], str]:
        return self.forward.writer()


def _reversed(symbols: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(symbols[::-1])  # torch takes none that run backwards
