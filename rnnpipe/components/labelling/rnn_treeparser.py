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
    """A constituency parser with a decoder of binary trees. Writes the nodes that the decoder
    classifies as constituents, with their labels, into a span group that
    ``rnnpipe.Constituents.v1`` reads: children before parents.

    If several constituents hold the same tokens, a node's class consists of their labels, innermost
    first, separated by spaces. The parser learns from the same span group of reference documents,
    whose constituents need not be binary; documents without the group are skipped.
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
        """Create the component.

        spans_key: name of the span group. scorer: by default :meth:`bracket_scores`.
        """
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
        """Return the reference's constituents as first token, end and class, by the tokens of
        ``doc``.

        Raises:
            StructureError: constituents overlap.
            LabelError: a label contains a space, so that it could be taken for two.
        """
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
        """Return the tree nodes of each document: first token, end and class, ``(2 n - 1, 3)``."""
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
        """Compute precision, recall and F1 of the constituents of at least two tokens, including
        the whole document: without labels (``brackets_p``, ``brackets_r``, ``brackets_f``;
        constituents of the same tokens count once) and with labels (``labelled_brackets_f``).
        Documents without annotated constituents do not count; ``None`` if there are no others."""
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
    """Counts of true, predicted and common items, summed over documents."""

    def __init__(self) -> None:
        self.both = self.ours = self.gold = 0

    def add(self, ours: Counter[Any], gold: Counter[Any]) -> None:
        self.both += (ours & gold).total()
        self.ours += ours.total()
        self.gold += gold.total()

    def scores(self) -> tuple[float | None, float | None, float | None]:
        """Return precision, recall and F1."""
        if not self.gold:
            return None, None, None
        f = 2 * self.both / (self.ours + self.gold)
        return self.both / max(1, self.ours), self.both / self.gold, f
