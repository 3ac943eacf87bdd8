"""An embedding to check, the words and documents that it is checked on, and its parts."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rnnpipe.contracts.types import EmbeddingBuilder, items_of
from rnnpipe.models.labelling.batching import distinct_words
from rnnpipe.testing.documents import LENGTHS, Docs, annotated, vocabulary

#: What training documents consist of, and how often.
WORDS = ["the", "red", "house", "in", "Berlin", "runs", "a", "bit", "unusually", "fast", "."]
WORDS += ["a", "ß", "日本", "x"]
COUNTS = {word: 1 + i % 3 for i, word in enumerate(WORDS)}


@dataclass(frozen=True)
class EmbeddingCase:
    """An embedding to check, or several that one builder concatenates.

    vocab: the spaCy vocabulary that its words come from; by default a small one with vectors.
    docs: makes documents of the vocabulary, with so many tokens each, or of whatever else there is
        a vector of; by default of tokens, :func:`~rnnpipe.testing.documents.annotated`.
    lengths: of the documents.
    """

    name: str
    builder: EmbeddingBuilder
    vocab: Any = None
    docs: Docs | None = None
    lengths: Sequence[int] = LENGTHS

    @property
    def words_from(self) -> Any:
        return self.vocab if self.vocab is not None else vocabulary()

    @functools.cached_property
    def parts(self) -> list[tuple[EmbeddingBuilder, dict[str, Any]]]:
        """Each embedding's builder, and its facts."""
        return [(part, part.measure(COUNTS, self.words_from)) for part in self.builder.parts()]

    def build(self, seed: int = 1) -> list[Any]:
        """The embeddings, in evaluation mode."""
        torch.manual_seed(seed)
        modules: list[Any] = [part.build(facts) for part, facts in self.parts]
        for module in modules:
            module.initialize(self.words_from)
        return [module.eval() for module in modules]

    def rebuilt(self) -> list[Any]:
        """From pickles of the builders and the facts alone, as when a pipeline is loaded: what is
        not among their weights is missing."""
        parts: list[Any] = [(pickle.loads(pickle.dumps(p)), facts) for p, facts in self.parts]
        return [part.build(facts).eval() for part, facts in parts]

    @functools.cached_property
    def modules(self) -> list[Any]:
        """The embeddings, for checks that leave them as they are."""
        return self.build()

    @property
    def fed(self) -> list[tuple[Any, int]]:
        """Those that read another layer's vectors, and that layer's width."""
        pairs = zip(self.builder.parts(), self.modules, strict=True)
        return [(m, p.upstream.get_dim("nO")) for p, m in pairs if p.upstream is not None]

    @property
    def contextual(self) -> list[Any]:
        """Those that read documents: their words, or something else that ``docs`` gives them, such
        as an image."""
        pairs = zip(self.builder.parts(), self.modules, strict=True)
        reading = [m for p, m in pairs if p.upstream is None and not m.lexical]
        return [m for m in reading if self.docs is not None or items_of(m) == "tokens"]

    @property
    def lexical(self) -> list[Any]:
        """Those whose vectors depend on the word alone."""
        return [module for module in self.modules if module.lexical]

    def words(self, texts: Sequence[str] = WORDS) -> Any:
        words, _, _ = distinct_words([annotated(self.words_from, texts)])
        return words

    def documents(self) -> list[Any]:
        return (self.docs or _docs)(self.words_from, self.lengths)

    def inputs(self) -> list[tuple[Any, Any]]:
        """Each embedding that is not fed, and words or documents for it."""
        return [
            *((module, self.words()) for module in self.lexical),
            *((module, self.documents()) for module in self.contextual),
        ]


def _docs(vocab: Any, lengths: Sequence[int]) -> list[Any]:
    return [annotated(vocab, WORDS[i:][:n]) for i, n in enumerate(lengths)]
