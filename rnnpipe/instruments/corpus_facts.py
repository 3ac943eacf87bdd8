"""What a corpus holds: words, lengths, labels; and how one is covered by another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from spacy.tokens import Doc
from spacy.training import Example

from rnnpipe.components.labelling.base import LabellingPipe
from rnnpipe.components.labelling.rnn_ner import RnnEntityRecognizer
from rnnpipe.components.labelling.rnn_tagger import RnnTagger
from rnnpipe.contracts.types import UNKNOWN, Symbols, SymbolsBuilder

T = TypeVar("T")
#: A word, an entity or a whole text, and its label.
Labelled = tuple[str, str]


@dataclass
class CorpusFacts:
    """lengths: in tokens, of each document. contents: the text of each, and the bytes of its
    image, if it carries one."""

    lengths: list[int] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    contents: Counter[tuple[str, bytes]] = field(default_factory=Counter)

    @classmethod
    def of(cls, examples: Iterable[Example]) -> CorpusFacts:
        facts = cls()
        for example in examples:
            doc = example.reference
            facts.lengths.append(len(doc))
            facts.words.update(token.text for token in doc)
            facts.characters.update(doc.text)
            facts.contents[doc.text, _image(doc)] += 1
        return facts

    @property
    def repeated(self) -> int:
        """Documents with the text and the image of an earlier one."""
        return self.contents.total() - len(self.contents)

    @property
    def images(self) -> int:
        """Documents with an image."""
        return sum(n for (_, image), n in self.contents.items() if image)

    @property
    def empty(self) -> int:
        """Documents with neither tokens nor an image."""
        return self.contents["", b""]


def _image(doc: Doc) -> bytes:
    image = getattr(doc._, "image", None)
    return b"" if image is None else np.asarray(image).tobytes()


def share_outside(counts: Counter[T], known: Iterable[T]) -> float:
    """The share of occurrences that are not among the known; 0 of nothing."""
    inside = set(known)
    return sum(n for key, n in counts.items() if key not in inside) / max(1, counts.total())


def labelled(pipe: LabellingPipe, examples: Iterable[Example]) -> list[Labelled]:
    """What carries a label that the component learns, and the label."""
    return [pair for example in examples for pair in _labelled(pipe, example.reference)]


def _labelled(pipe: LabellingPipe, doc: Doc) -> Iterator[Labelled]:
    if isinstance(pipe, RnnEntityRecognizer):
        yield from ((entity.text, entity.label_) for entity in doc.ents)
    elif isinstance(pipe, RnnTagger):
        values = (_value(token, pipe.attribute) for token in doc)
        yield from ((t.text, v) for t, v in zip(doc, values, strict=True) if v)
    elif pipe.labels_documents:
        yield from ((doc.text, label) for label, truth in doc.cats.items() if truth >= 0.5)
    else:
        key = getattr(pipe, "spans_key", None)
        yield from ((span.text, span.label_) for span in doc.spans.get(key, ()) if span.label_)


def _value(token: Any, attribute: str) -> str:
    if attribute.startswith("_."):
        return str(token._.get(attribute[2:]) or "")
    return str(token.morph) if attribute == "morph" else str(getattr(token, f"{attribute}_"))


def majority_accuracy(train: Sequence[Labelled], dev: Sequence[Labelled]) -> float:
    """Of the label that is most frequent in training, always."""
    if not train or not dev:
        return 0.0
    (most_frequent, _), *_ = Counter(label for _, label in train).most_common(1)
    return sum(label == most_frequent for _, label in dev) / len(dev)


def memory_accuracy(train: Sequence[Labelled], dev: Sequence[Labelled]) -> float:
    """Of each item's own most frequent label in training; of others, as the majority."""
    if not train or not dev:
        return 0.0
    counts: dict[str, Counter[str]] = {}
    for text, label in train:
        counts.setdefault(text, Counter())[label] += 1
    best = {text: labels.most_common(1)[0][0] for text, labels in counts.items()}
    (most_frequent, _), *_ = Counter(label for _, label in train).most_common(1)
    return sum(best.get(text, most_frequent) == label for text, label in dev) / len(dev)


def histogram(lengths: Sequence[int], bins: int) -> list[tuple[int, int, int]]:
    """At most so many ranges of whole numbers, all about as wide: the first and the last number of
    each, and how many lengths are in it."""
    low, high = min(lengths), max(lengths) + 1
    edges = np.unique(np.linspace(low, high, bins + 1).round().astype(int))
    counts, _ = np.histogram(lengths, bins=edges)
    return list(zip(edges[:-1].tolist(), (edges[1:] - 1).tolist(), counts.tolist(), strict=True))


@dataclass(frozen=True)
class SymbolFacts:
    """known: how many different symbols the training documents make. train, dev: how many symbols
    the documents have. unknown: the share of those of dev that have no number."""

    known: int
    train: int
    dev: int
    unknown: float


def symbol_facts(builder: SymbolsBuilder, train: Sequence[Any], dev: Sequence[Any]) -> SymbolFacts:
    """train, dev: documents, or what else such symbols are read from."""
    symbols: Symbols = builder.build(builder.measure(train))
    read = [symbols.read(doc) for doc in dev]
    total = sum(map(len, read))
    unknown = sum(int((ids == UNKNOWN).sum()) for ids in read) / max(1, total)
    return SymbolFacts(len(symbols), sum(len(symbols.read(d)) for d in train), total, unknown)


def copy_rate(
    source: SymbolsBuilder, target: SymbolsBuilder, pairs: Sequence[tuple[Any, Any]]
) -> float:
    """The share of the targets' symbols whose text is that of a symbol of their source, too."""
    read, write = (
        builder.build(builder.measure(side))
        for builder, side in zip((source, target), zip(*pairs, strict=True), strict=True)
    )
    copied: list[bool] = []
    for text, translation in pairs:
        there = set(read.pieces(text))
        copied += [piece in there for piece in write.pieces(translation)]
    return sum(copied) / max(1, len(copied))
