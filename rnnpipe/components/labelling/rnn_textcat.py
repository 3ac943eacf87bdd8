"""``rnn_textcat`` and ``rnn_textcat_multilabel``: categories of whole documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from rnnpipe.components.labelling.base import LabellingPipe
from rnnpipe.contracts.types import Labels
from rnnpipe.errors import LabelError
from rnnpipe.parts.structures.doc_image import register_image


class CategoryPipe(LabellingPipe):
    """The base of the components that write ``doc.cats``: any encoder, a pooler, and a decoder that
    labels documents."""

    labels_documents = True
    annotation = "doc.cats"

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Any, Any],
        name: str,
        *,
        threshold: float,
        scorer: Callable[..., Any] | None = None,
    ) -> None:
        """Create the component.

        threshold: minimum probability of a predicted category in scores. spaCy's scorer ignores it
            for exclusive categories and takes the most probable one.
        """
        super().__init__(vocab, model, name, scorer, threshold=threshold, positive_label=None)
        register_image(Doc)  # which may be what is categorised

    def output_labels(self) -> Labels:
        return Labels(self.labels)

    def find_labels(self, examples: Sequence[Example]) -> list[str]:
        return sorted({label for eg in examples for label in eg.reference.cats})

    def read(self, decoder: Any, x: Any, lengths: np.ndarray) -> list[np.ndarray]:
        return list(decoder.predict(x).probabilities.float().cpu().numpy())

    def set_annotations(self, docs: Iterable[Doc], results: Sequence[np.ndarray]) -> None:
        for doc, scores in zip(docs, results, strict=True):
            doc.cats.update(zip(self.labels, scores.tolist(), strict=True))


class RnnTextCategorizer(CategoryPipe):
    """A text classifier with exactly one category per document. Writes all probabilities to
    ``doc.cats``.

    The decoder has exclusive labels, such as ``rnnpipe.Softmax.v1``.
    """

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Iterable[str] | None = None,
        positive_label: str | None = None,
    ) -> None:
        """Learn the categories and build the network. With two categories, the F-score of
        ``positive_label`` is reported.

        Raises:
            LabelError: there are fewer than two categories, or ``positive_label`` is not one of
                exactly two.
        """
        super().initialize(get_examples, nlp=nlp, labels=labels)
        if positive_label is not None and len(self.labels) > 2:
            raise LabelError(
                f"components.{self.name}: expected no positive_label with {len(self.labels)} "
                f"categories, got {positive_label!r}. Remove it: with more than two categories the "
                "macro F-score is reported."
            )
        if positive_label is not None and positive_label not in self.labels:
            raise LabelError(
                f"components.{self.name}: expected positive_label to be one of {self.labels}, got "
                f"{positive_label!r}. Choose one of them."
            )
        self.cfg["positive_label"] = positive_label

    def _require_gold(self, n_examples: int) -> None:
        super()._require_gold(n_examples)
        if len(self.labels) < 2:
            raise LabelError(
                f"components.{self.name}: expected two or more categories that exclude each other, "
                f"got {self.labels}. For a binary decision, use two labels, or use "
                f"rnn_textcat_multilabel."
            )

    def gold(self, example: Example) -> np.ndarray:
        cats = example.reference.cats
        true = [label for label, value in cats.items() if value == 1.0]
        if len(true) > 1 or any(value not in (0.0, 1.0) for value in cats.values()):
            raise LabelError(
                f"components.{self.name}: expected at most one category with 1.0 and all others "
                f"with 0.0, got {cats}. For several categories per document, use "
                f"rnn_textcat_multilabel."
            )
        return np.array(self._position(true[0]) if true else -1, dtype=np.int64)

    def gold_from(self, results: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [np.array(scores.argmax(), dtype=np.int64) for scores in results]


class RnnMultiLabelTextCategorizer(CategoryPipe):
    """A text classifier with any number of categories per document. Writes their independent
    probabilities to ``doc.cats``.

    The decoder has independent labels, such as ``rnnpipe.Sigmoid.v1``.
    """

    exclusive = False

    def gold(self, example: Example) -> np.ndarray:
        cats = example.reference.cats
        truths = np.full(len(self.labels), np.nan, dtype=np.float32)
        for label, value in cats.items():
            if not 0.0 <= value <= 1.0:
                raise LabelError(
                    f"components.{self.name}: expected category values from 0.0 to 1.0, got "
                    f"{label!r}: {value}. Use 1.0 for true, 0.0 for false, and omit unknown "
                    f"categories."
                )
            truths[self._position(label)] = value
        return truths

    def gold_from(self, results: Sequence[np.ndarray]) -> list[np.ndarray]:
        return list(results)
