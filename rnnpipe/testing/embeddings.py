"""What every embedding promises: of words, of documents, and of another layer's vectors."""

from __future__ import annotations

import copy
import functools
import json
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnpipe.batching import distinct_words, take_words
from rnnpipe.network import to_device
from rnnpipe.registry import embeddings
from rnnpipe.testing.modules import (
    require_copies,
    require_names,
    require_same_weights,
)
from rnnpipe.testing.promises import (
    Kind,
    require,
    require_close,
    require_gradients,
    require_shape,
    smallest,
    trying,
)
from rnnpipe.types import EmbeddingBuilder, items_of

#: What training documents consist of, and how often.
WORDS = ["the", "red", "house", "in", "Berlin", "runs", "a", "bit", "unusually", "fast", "."]
WORDS += ["a", "ß", "日本", "x"]
COUNTS = {word: 1 + i % 3 for i, word in enumerate(WORDS)}
LENGTHS = (5, 0, 10, 1)
UNSEEN = ["zyzzyva", "🜁", "!!!!!!", "a" * 300]


@functools.cache
def _vocab() -> Any:
    """With vectors of some words."""
    import spacy

    vocab = spacy.blank("en").vocab
    for i, word in enumerate(["the", "house", "red", "a", "Berlin", "runs"]):
        vector: Any = np.array([0.1 * i, 0.2, -0.3, 1.0], dtype="f")
        vocab.set_vector(word, vector)
    return vocab


@dataclass(frozen=True)
class EmbeddingCase:
    """An embedding to check, or several that one builder concatenates.

    vocab: the spaCy vocabulary that its words come from; by default a small one with vectors.
    docs: makes documents of the vocabulary, with so many tokens each, or of whatever else there is
        a vector of; by default of tokens, with two mentions each.
    lengths: of the documents.
    """

    name: str
    builder: EmbeddingBuilder
    vocab: Any = None
    docs: Callable[[Any, Sequence[int]], list[Any]] | None = None
    lengths: Sequence[int] = LENGTHS

    @property
    def words_from(self) -> Any:
        return self.vocab if self.vocab is not None else _vocab()

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
        words, _, _ = distinct_words([_doc(self.words_from, texts)])
        return words

    def documents(self) -> list[Any]:
        return (self.docs or _docs)(self.words_from, self.lengths)

    def inputs(self) -> list[tuple[Any, Any]]:
        """Each embedding that is not fed, and words or documents for it."""
        return [
            *((module, self.words()) for module in self.lexical),
            *((module, self.documents()) for module in self.contextual),
        ]


def _doc(vocab: Any, texts: Sequence[str]) -> Any:
    from spacy.tokens import Doc

    return Doc(vocab, words=list(texts))


def _docs(vocab: Any, lengths: Sequence[int]) -> list[Any]:
    docs = [_doc(vocab, WORDS[i:][:n]) for i, n in enumerate(lengths)]
    for doc in docs:
        doc.spans["mentions"] = [doc[:1], doc[-1:]] if len(doc) else []
    return docs


EMBEDDING = Kind("embedding", embeddings, EmbeddingBuilder, EmbeddingCase)


def _reads(case: EmbeddingCase) -> bool:
    return bool(case.lexical or case.contextual)


def _is_lexical(case: EmbeddingCase) -> bool:
    return bool(case.lexical)


def _is_fed(case: EmbeddingCase) -> bool:
    return bool(case.fed)


def _is_contextual(case: EmbeddingCase) -> bool:
    return bool(case.contextual)


def _over(module: Any, upstream: Tensor) -> Tensor:
    vectors: Tensor = module({"upstream": upstream})
    return vectors


def _vectors(module: Any, items: Any, device: str = "cpu") -> Tensor:
    vectors: Tensor = module(to_device(module.featurize(items), torch.device(device)))
    return vectors


@EMBEDDING.promise("What it measures is JSON, and enough to build it again.")
def facts(case: EmbeddingCase) -> None:
    for builder, measured in case.parts:
        module: Any = builder.build(json.loads(json.dumps(measured)))
        require(module.n_out > 0, f"n_out: expected a width, got {module.n_out}.")
        again: Any = pickle.loads(pickle.dumps(builder)).build(measured)
        again.load_state_dict(module.state_dict())


@EMBEDDING.promise("A word's vector does not depend on the other words.", where=_is_lexical)
def words(case: EmbeddingCase) -> None:
    modules = case.lexical

    def check(texts: list[str]) -> None:
        items = case.words(texts)
        for module in modules:
            together = _vectors(module, items)
            require_shape(together, (len(items), module.n_out), "vectors")
            for i in range(len(items)):
                alone = _vectors(module, take_words(items, np.array([i])))
                require_close(alone[0], together[i], f"vector of word {i}, alone and together")

    from hypothesis import strategies as st

    texts = st.lists(st.sampled_from(WORDS + UNSEEN), min_size=1, max_size=6, unique=True)
    smallest(check, 8, texts=texts)
    check(WORDS)


@EMBEDDING.promise("Words that training had not have finite vectors.", where=_is_lexical)
def unseen(case: EmbeddingCase) -> None:
    for text in UNSEEN:
        with trying(f"the word {text!r}"):
            for module in case.lexical:
                vectors = _vectors(module, case.words([text]))
                require(bool(vectors.isfinite().all()), "vector: expected finite numbers.")


@EMBEDDING.promise("Its parameters learn from words and documents.", where=_reads)
def gradients(case: EmbeddingCase) -> None:
    with trying("words and documents"):
        for shared, items in case.inputs():
            module = copy.deepcopy(shared)
            parameters = [p for p in module.parameters() if p.requires_grad]
            if parameters:
                torch.autograd.backward(_vectors(module.train(), items).square().sum())
                reached = [p.grad for p in parameters if p.grad is not None and p.grad.any()]
                require(bool(reached), "parameters: expected a gradient of one at least.")


@EMBEDDING.promise("A training step never waits for a value from the device.")
def meta(case: EmbeddingCase) -> None:
    with trying("words and documents on the device 'meta'"):
        for module, items in case.inputs():
            vectors = _vectors(copy.deepcopy(module).to("meta").train(), items, "meta")
            require(vectors.is_meta, f"vectors: expected them on meta, got {vectors.device}.")
            if vectors.requires_grad:
                torch.autograd.backward(vectors.sum())
    for module, width in case.fed:
        with trying("vectors of another layer on the device 'meta'"):
            x = torch.randn(3, width, device="meta", requires_grad=True)
            copy.deepcopy(module).to("meta").train()({"upstream": x}).sum().backward()
            require(x.grad is not None, "vectors: expected a gradient, got none.")


@EMBEDDING.promise("Copies and pickles give the same vectors.")
def copies(case: EmbeddingCase) -> None:
    with trying("words and documents"):
        for module, items in case.inputs():
            require_copies(module, partial(_vectors, items=items))
    for module, width in case.fed:
        x = torch.randn(3, width)
        with trying("vectors of another layer"):
            require_copies(module, partial(_over, upstream=x))


@EMBEDDING.promise("A token's vector does not depend on the other tokens.", where=_is_fed)
def fed_tokens(case: EmbeddingCase) -> None:
    for module, width in case.fed:
        with trying("4 tokens, and none"):
            x = torch.randn(4, width)
            together = module({"upstream": x})
            require_shape(together, (4, module.n_out), "vectors")
            for i in range(4):
                alone = module({"upstream": x[i : i + 1]})[0]
                require_close(alone, together[i], f"vector of token {i}, alone and together")
            require_shape(module({"upstream": x[:0]}), (0, module.n_out), "vectors of no tokens")


@EMBEDDING.promise("Gradients flow back into the layer that it reads.", where=_is_fed)
def fed_gradients(case: EmbeddingCase) -> None:
    for module, width in case.fed:
        with trying("3 tokens"):
            x = torch.randn(3, width, requires_grad=True)
            module({"upstream": x}).square().sum().backward()
            for i in range(3):
                require_gradients(x.grad[i] if x.grad is not None else None, f"token {i}")


@EMBEDDING.promise("A document's vectors do not depend on the others.", where=_is_contextual)
def documents(case: EmbeddingCase) -> None:
    docs = case.documents()
    with trying(f"documents of {case.lengths} items, and none"):
        for module in case.contextual:
            together = _vectors(module, docs)
            require_shape(together, (sum(case.lengths), module.n_out), "vectors")
            alone = torch.cat([_vectors(module, [doc]) for doc in docs])
            require_close(alone, together, "vectors, alone and together")
            require_shape(_vectors(module, []), (0, module.n_out), "vectors of no documents")


@EMBEDDING.promise("Its parameters have names that thinc does not use (W, b, E).")
def names(case: EmbeddingCase) -> None:
    for module in case.modules:
        require_names(module)


@EMBEDDING.promise("The same seed gives the same weights.")
def seeds(case: EmbeddingCase) -> None:
    for first, second in zip(case.build(7), case.build(7), strict=True):
        require_same_weights(first, second)
