"""spaCy documents for checks, with all annotation that parts may read, and what is asked of a part
that reads them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from rnnpipe.contracts.types import items_of
from rnnpipe.testing.promises import require, require_type, trying

#: Makes documents of a vocabulary, with so many tokens (or other items) each.
Docs: TypeAlias = Callable[[Any, Sequence[int]], list[Any]]
LENGTHS = (5, 0, 10, 1)


@functools.cache
def vocabulary() -> Any:
    """With vectors of some words."""
    import spacy

    vocab = spacy.blank("en").vocab
    for i, word in enumerate(["the", "house", "red", "a", "Berlin", "runs"]):
        vector: Any = np.array([0.1 * i, 0.2, -0.3, 1.0], dtype="f")
        vocab.set_vector(word, vector)
    return vocab


def annotated(vocab: Any, words: Sequence[str]) -> Any:
    """A document in which each word leads to the next: it is its head, and they share the lemma and
    the coreferent. ``constituents`` are nested, one ends with each word; ``mentions`` are the first
    word and the last."""
    from spacy.tokens import Doc, Span

    n = len(words)
    heads, lemmas = [max(0, i - 1) for i in range(n)], ["a"] * n
    doc = Doc(vocab, words=list(words), heads=heads, deps=["dep"] * n, lemmas=lemmas)
    doc.spans["constituents"] = [Span(doc, 0, end) for end in range(1, n + 1)]
    doc.spans["coreference"] = [Span(doc, i, i + 1, label="it") for i in range(n)]
    doc.spans["mentions"] = [doc[:1], doc[-1:]] if n else []
    return doc


def _alike(vocab: Any, lengths: Sequence[int]) -> list[Any]:
    return [annotated(vocab, ["a"] * n) for n in lengths]


@dataclass(frozen=True)
class ReaderCase:
    """What reads documents one by one, to check.

    docs: makes its documents; by default of tokens, :func:`annotated`, all of the same word.
    lengths: of the documents, without a 0 if none may be empty.
    """

    name: str
    builder: Any
    docs: Docs | None = None
    lengths: Sequence[int] = LENGTHS

    def document(self, n: int) -> Any:
        """Raises LookupError for items that nothing is known of."""
        items = items_of(self.builder)
        if self.docs is None and items != "tokens":
            raise LookupError(
                f"{self.name}: expected a function that makes documents with {items}, got none. "
                "Pass it as docs."
            )
        (doc,) = (self.docs or _alike)(vocabulary(), [n])
        return doc

    def each(self, check: Callable[[Any, int], None]) -> None:
        """Check a document of each length, given it and its length, the shortest first."""
        for n in sorted(self.lengths):
            with trying(f"{items_of(self.builder)} = {n}"):
                check(self.document(n), n)


def indices(array: Any, what: str) -> Tensor:
    """What a part read off a document, an array of int64."""
    is_array = isinstance(array, np.ndarray)
    require(is_array, f"{what}: expected a numpy array, got {type(array).__name__}.")
    tensor = torch.from_numpy(array.copy())
    require_type(tensor, torch.int64, what)
    return tensor
