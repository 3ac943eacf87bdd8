"""How well a language model predicts a text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from spacy.tokens import Doc

from rnnpipe.contracts.types import UNKNOWN
from rnnpipe.instruments.reading import Reader

#: How many documents are scored together.
_BATCH = 128


@dataclass(frozen=True)
class Perplexity:
    """nats: the negative log-probability of everything. symbols: how many were predicted, end
    symbols included. unknown: how many of them the model has no number for. characters: of the
    text. documents: how often the model began anew."""

    nats: float = 0.0
    symbols: int = 0
    unknown: int = 0
    characters: int = 0
    documents: int = 0

    @property
    def cross_entropy(self) -> float:
        """``-1/N sum_i log p(x_i | x_1 ... x_{i-1})``, nats a symbol."""
        return self.nats / self.symbols

    @property
    def perplexity(self) -> float:
        """``exp(cross_entropy)``, a symbol; infinite beyond what a float holds."""
        return math.exp(self.cross_entropy) if self.cross_entropy < 700.0 else math.inf

    @property
    def bits_per_character(self) -> float:
        """Comparable between models of different symbols, if nothing is unknown."""
        return self.nats / math.log(2) / self.characters

    @property
    def unknown_share(self) -> float:
        return self.unknown / self.symbols

    def as_json(self) -> dict[str, Any]:
        """An infinite perplexity is ``None``."""
        return {
            "nats_per_symbol": self.cross_entropy,
            "perplexity_per_symbol": self.perplexity if math.isfinite(self.perplexity) else None,
            "bits_per_character": self.bits_per_character,
            "symbols": self.symbols,
            "characters": self.characters,
            "documents": self.documents,
            "unknown_symbols": self.unknown,
            "unknown_share": self.unknown_share,
        }

    def __add__(self, other: Perplexity) -> Perplexity:
        return Perplexity(
            self.nats + other.nats,
            self.symbols + other.symbols,
            self.unknown + other.unknown,
            self.characters + other.characters,
            self.documents + other.documents,
        )


def perplexity_of_text(reader: Reader, blocks: Iterable[str]) -> Perplexity:
    """Of one document that comes in blocks; what is held in memory does not grow with it."""
    characters = unknown = 0

    def counted() -> Iterator[str]:
        nonlocal characters
        for block in blocks:
            characters += len(block)
            yield block

    def pieces() -> Iterator[np.ndarray]:
        nonlocal unknown
        for symbols in reader.symbols(counted()):
            unknown += int(np.count_nonzero(symbols == UNKNOWN))
            yield symbols

    nats, count = 0.0, 0
    for scores in reader.log_probabilities(pieces()):
        nats -= float(scores.sum(dtype=np.float64))
        count += len(scores)
    return Perplexity(nats, count, unknown, characters, documents=1)


def perplexity_of_documents(reader: Reader, texts: Iterable[str]) -> Perplexity:
    """Of documents that have nothing to do with each other."""
    total, waiting = Perplexity(), iter(texts)
    while docs := [reader.doc(text) for text in islice(waiting, _BATCH)]:
        for doc, likelihood in zip(docs, reader.pipe.predict(docs), strict=True):
            total += Perplexity(
                -likelihood.total, likelihood.symbols, _unknown(reader, doc), len(doc.text), 1
            )
    return total


def _unknown(reader: Reader, doc: Doc) -> int:
    return int(np.count_nonzero(reader.pipe.symbols.read(doc) == UNKNOWN))
