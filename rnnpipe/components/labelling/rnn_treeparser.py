"""``rnn_treeparser``: the constituents of a document, found by joining neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from rnnpipe.components.labelling.base import LabellingPipe
from rnnpipe.components.labelling.gold import same_tokens
from rnnpipe.contracts.types import Labels
from rnnpipe.errors import LabelError, expected, opening
from rnnpipe.parts.structures.constituents import join_spans

#: The class of a node that is no constituent.
NONE = "(none)"


class RnnTreeParser(LabellingPipe):
    """Builds a binary tree over each document with a decoder of trees, and writes the nodes that
    the decoder classifies as constituents, with their labels, into a span group that
    ``rnnpipe.Constituents.v1`` reads: children before parents.

    Where several constituents hold the same tokens, a node's class is their labels, the innermost
    first, with a space in between. It learns from the same span group of reference documents,
    whose constituents need not be binary; a document without the group is not learnt from.
    """

    labels_documents = False
    builds_trees = True

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Any, Any],
        name: str = "rnn_treeparser",
        *,
        spans_key: str = "constituents",
        scorer: Callable[..., Any] | None = None,
    ) -> None:
        """spans_key: the span group. scorer: by default :meth:`bracket_scores`."""
        super().__init__(vocab, model, name, scorer or self.bracket_scores, spans_key=spans_key)

    @property
    def spans_key(self) -> str:
        return str(self.cfg["spans_key"])

    @property
    def annotation(self) -> str:
        return f"constituents in doc.spans[{self.spans_key!r}]"

    def output_labels(self) -> Labels:
        return Labels((NONE, *self.labels))

    def find_labels(self, examples: Sequence[Example]) -> list[str]:
        docs = [eg.reference for eg in examples]
        return sorted({label for doc in docs for _, _, label in self._classes(doc, doc)})

    def gold(self, example: Example) -> np.ndarray:
        doc, reference = example.predicted, example.reference
        if self.spans_key not in reference.spans or not len(doc):
            return np.zeros((0, 3), dtype=np.int64)
        rows = [
            (start, end, 1 + self._position(label))
            for start, end, label in self._classes(doc, reference, example)
        ]
        if not any((start, end) == (0, len(doc)) for start, end, _ in rows):
            rows.append((0, len(doc), 0))
        return np.array(rows, dtype=np.int64)

    def _classes(
        self, doc: Doc, reference: Doc, example: Example | None = None
    ) -> list[tuple[int, int, str]]:
        """The reference's constituents by the tokens of ``doc``: first token, end and class.

        RAISES: StructureError for constituents that overlap; LabelError for a label that could be
            taken for two."""
        spans = list(reference.spans.get(self.spans_key, []))
        if example is not None and not same_tokens(example):
            spans = example.get_aligned_spans_y2x(spans, allow_overlap=True)
        join_spans(len(doc), [(span.start, span.end) for span in spans], reference.text)
        for span in spans:
            if " " in span.label_ or span.label_ == NONE:
                where = f"components.{self.name}: {opening(reference.text)}"
                want = f"labels that contain no space and differ from {NONE!r}"
                raise LabelError(expected(where, want, span.label_, "Rename the label."))
        chains: dict[tuple[int, int], list[str]] = {}
        for span in spans:
            chains.setdefault((span.start, span.end), []).append(span.label_)
        return [(*place, " ".join(labels)) for place, labels in chains.items()]

    def read(self, decoder: Any, x: Any, lengths: np.ndarray) -> list[np.ndarray]:
        """Of each document, the nodes of its tree: first token, end and class. ``(2 n - 1, 3)``."""
        ids = decoder.predict(x).ids.cpu().numpy()
        return [nodes[nodes[:, 0] >= 0] for nodes in ids]

    def gold_from(self, results: Sequence[np.ndarray]) -> list[np.ndarray]:
        return list(results)

    def set_annotations(self, docs: Iterable[Doc], results: Sequence[np.ndarray]) -> None:
        for doc, nodes in zip(docs, results, strict=True):
            spans = [
                Span(doc, start, end, label=label)
                for start, end, number in nodes.tolist()
                if number
                for label in self.labels[number - 1].split(" ")
            ]
            doc.spans[self.spans_key] = SpanGroup(doc, name=self.spans_key, spans=spans)

    def bracket_scores(self, examples: Iterable[Example], **_: Any) -> dict[str, Any]:
        """Precision, recall and F1 of the constituents of two tokens or more, that of the whole
        document among them: without their labels (``brackets_p``, ``brackets_r``, ``brackets_f``;
        of those that hold the same tokens, one counts) and with them (``labelled_brackets_f``).
        Documents whose reference has no constituents annotated do not count; ``None`` where there
        are none."""
        bare, labelled = _Overlap(), _Overlap()
        for eg in examples:
            if self.spans_key in eg.reference.spans:
                ours, gold = (self._brackets(doc) for doc in (eg.predicted, eg.reference))
                bare.add(Counter({x[:2] for x in ours}), Counter({x[:2] for x in gold}))
                labelled.add(Counter(ours), Counter(gold))
        precision, recall, f = bare.scores()
        return {
            "brackets_p": precision,
            "brackets_r": recall,
            "brackets_f": f,
            "labelled_brackets_f": labelled.scores()[2],
        }

    def _brackets(self, doc: Doc) -> list[tuple[int, int, str]]:
        spans = doc.spans.get(self.spans_key, [])
        return [(s.start_char, s.end_char, s.label_) for s in spans if s.end - s.start > 1]


class _Overlap:
    """What two kinds of things have in common, over many documents."""

    def __init__(self) -> None:
        self.both = self.ours = self.gold = 0

    def add(self, ours: Counter[Any], gold: Counter[Any]) -> None:
        self.both += (ours & gold).total()
        self.ours += ours.total()
        self.gold += gold.total()

    def scores(self) -> tuple[float | None, float | None, float | None]:
        """Precision, recall and F1."""
        if not self.gold:
            return None, None, None
        f = 2 * self.both / (self.ours + self.gold)
        return self.both / max(1, self.ours), self.both / self.gold, f
