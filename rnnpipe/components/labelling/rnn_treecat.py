"""``rnn_treecat``: a label for the root of a tree and for each of its nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from rnnpipe.components.labelling.base import LabellingPipe
from rnnpipe.components.labelling.gold import label_ids, same_tokens
from rnnpipe.components.labelling.network import network_builder
from rnnpipe.contracts.types import DocStructure, Labels
from rnnpipe.errors import LabelError, opening
from rnnpipe.parts.decoders.sequence import SequenceDecoder

#: A constituent by its characters, and how many with the same ones come before it in the group.
Place = tuple[int, int, int]


class RnnTreeCategorizer(LabellingPipe):
    """A tree classifier with a recursive encoder over the constituents of a document and a decoder
    that labels nodes.

    The constituents are the spans of the group that the network's structure names. With the loss on
    all nodes, it writes their labels, and the probability of each label of the root to
    ``doc.cats``. With the loss on the root, it writes ``doc.cats`` only. The root is the largest
    constituent; of several trees, that of the last.
    """

    labels_documents = False
    labels_spans = True

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Any, Any],
        name: str = "rnn_treecat",
        *,
        loss: Literal["nodes", "root"] = "nodes",
        scorer: Callable[..., Any] | None = None,
    ) -> None:
        """Create the component.

        loss: training target: the labels of all spans, or the true category of ``doc.cats``.
        scorer: by default :meth:`accuracy`.
        """
        super().__init__(vocab, model, name, scorer or self.accuracy, loss=loss)

    @property
    def spans_key(self) -> str:
        """Name of the span group that holds the constituents."""
        structure: DocStructure | None = network_builder(self.model).structure
        assert structure is not None and structure.spans_key is not None  # checked at the start
        return structure.spans_key

    @property
    def at_nodes(self) -> bool:
        return bool(self.cfg["loss"] == "nodes")

    @property
    def annotation(self) -> str:
        return f"labels in doc.spans[{self.spans_key!r}]" if self.at_nodes else "doc.cats"

    def output_labels(self) -> Labels:
        return Labels(self.labels)

    def find_labels(self, examples: Sequence[Example]) -> list[str]:
        if self.at_nodes:
            groups = [self._constituents(eg.reference) for eg in examples]
            return sorted({span.label_ for group in groups for span in group} - {""})
        return sorted({label for eg in examples for label in eg.reference.cats})

    def _constituents(self, doc: Doc) -> list[Span]:
        return list(doc.spans.get(self.spans_key, []))

    def gold(self, example: Example) -> np.ndarray:
        spans = self._constituents(example.predicted)
        if self.at_nodes:
            try:
                return label_ids(self.labels, self._gold_keys(example, spans))
            except KeyError as error:
                label = example.reference.vocab.strings[error.args[0]]
                raise self._unknown_label(label) from None
        ids = np.full(len(spans), -1, dtype=np.int64)
        label = self._true_category(example.reference)
        if spans and label is not None:
            ids[root_of(spans)] = self._position(label)
        return ids

    def _gold_keys(self, example: Example, spans: Sequence[Span]) -> np.ndarray:
        """Return the hash of each span's gold label, 0 if it has none."""
        gold = self._constituents(example.reference)
        if same_tokens(example) and _extents(gold) == _extents(spans):
            return np.array([span.label for span in gold], dtype=np.uint64)
        keys = {place: span.label for place, span in places_of(gold)}
        return np.array([keys.get(place, 0) for place, _ in places_of(spans)], dtype=np.uint64)

    def _true_category(self, doc: Doc) -> str | None:
        true = [label for label, value in doc.cats.items() if value == 1.0]
        if len(true) > 1:
            raise LabelError(
                f"components.{self.name}: {opening(doc.text)}: expected at most one category "
                f"with 1.0, got {doc.cats}. The root of a tree has one label."
            )
        return true[0] if true else None

    def _true_root(self, doc: Doc) -> str | None:
        """Return the gold label of the root of a reference document. If the component learns from
        spans, the document's categories may belong to another component."""
        if not self.at_nodes:
            return self._true_category(doc)
        spans = self._constituents(doc)
        return spans[root_of(spans)].label_ if spans else None

    def read(
        self, decoder: Any, x: Any, lengths: np.ndarray
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the best label of each span and the probabilities of all labels, per document."""
        prediction = decoder.predict(x)
        probabilities = (
            decoder.marginals(x)
            if isinstance(decoder, SequenceDecoder)
            else prediction.probabilities
        )
        ids, shares = prediction.ids.cpu().numpy(), probabilities.float().cpu().numpy()
        return [(row[:n], p[:n]) for row, p, n in zip(ids, shares, lengths, strict=True)]

    def gold_from(self, results: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
        return [ids for ids, _ in results]

    def set_annotations(
        self, docs: Iterable[Doc], results: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> None:
        for doc, (ids, probabilities) in zip(docs, results, strict=True):
            spans = self._constituents(doc)
            if not spans:
                continue
            root = probabilities[root_of(spans)]
            doc.cats.update(zip(self.labels, root.tolist(), strict=True))
            if self.at_nodes:
                labelled = [
                    Span(doc, span.start, span.end, label=self.labels[i])
                    for span, i in zip(spans, ids.tolist(), strict=True)
                ]
                attrs = doc.spans[self.spans_key].attrs
                doc.spans[self.spans_key] = SpanGroup(
                    doc, name=self.spans_key, attrs=attrs, spans=labelled
                )

    def accuracy(self, examples: Iterable[Example], **_: Any) -> dict[str, Any]:
        """Compute the accuracy of the labels; ``None`` if nothing has a gold label.

        root_acc: share of documents whose most probable category among the component's labels is
            the true one.
        node_acc: share of spans with the reference's label, among those that have one there.
        """
        roots: list[bool] = []
        nodes: list[bool] = []
        for eg in examples:
            true = self._true_root(eg.reference)
            if true:
                cats = {c: p for c, p in eg.predicted.cats.items() if c in self.labels}
                roots.append(bool(cats) and max(cats, key=lambda label: cats[label]) == true)
            if self.at_nodes:
                spans = places_of(self._constituents(eg.predicted))
                found = {place: span.label_ for place, span in spans}
                gold = places_of(self._constituents(eg.reference))
                nodes.extend(found.get(place) == s.label_ for place, s in gold if s.label_)
        return {
            "root_acc": sum(roots) / len(roots) if roots else None,
            "node_acc": sum(nodes) / len(nodes) if nodes else None,
        }


def places_of(spans: Iterable[Span]) -> list[tuple[Place, Span]]:
    """Map each constituent to its place, which identifies it in a document with other tokens."""
    seen: Counter[tuple[int, int]] = Counter()
    places = []
    for span in spans:
        characters = (span.start_char, span.end_char)
        places.append(((*characters, seen[characters]), span))
        seen[characters] += 1
    return places


def _extents(spans: Iterable[Span]) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in spans]


def root_of(spans: Sequence[Span]) -> int:
    """Return the constituent that comes last in post-order."""
    return max(range(len(spans)), key=lambda i: (spans[i].end, -spans[i].start, i))
