"""``rnn_tagger``: one label per token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from spacy.scorer import Scorer
from spacy.tokens import Doc, Token
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from rnnpipe.components.labelling.base import LabellingPipe
from rnnpipe.components.labelling.gold import label_ids, same_tokens, token_labels
from rnnpipe.components.labelling.network import read_states
from rnnpipe.contracts.types import Labels
from rnnpipe.errors import LabelError, SettingsError

_ATTRIBUTES = ("tag", "pos", "morph")


class RnnTagger(LabellingPipe):
    """A tagger with any encoder and any decoder that labels nodes.

    Writes ``token.tag_``, ``token.pos_``, ``token.morph`` or an extension ``token._.<name>``. For
    an extension, ``[training.score_weights]`` must name its score, ``<name>_acc``, so that ``spacy
    train`` can select the best pipeline.
    """

    labels_documents = False

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Any, Any],
        name: str = "rnn_tagger",
        *,
        attribute: str = "tag",
        overwrite: bool = True,
        scorer: Callable[..., Any] | None = None,
    ) -> None:
        """Create the component.

        attribute: ``"tag"``, ``"pos"``, ``"morph"`` or ``"_.name"``, a registered extension.
        overwrite: whether to replace the annotation of earlier components.
        scorer: by default the accuracy of the attribute, ``tag_acc``, ``pos_acc``, ...

        Raises:
            SettingsError: the attribute is none of these.
        """
        if attribute not in _ATTRIBUTES and not attribute.startswith("_."):
            raise SettingsError(
                f"components.{name}.attribute: expected one of {_ATTRIBUTES} or a token extension "
                f"like '_.case', got {attribute!r}."
            )
        super().__init__(
            vocab, model, name, scorer or self.accuracy, attribute=attribute, overwrite=overwrite
        )

    @property
    def attribute(self) -> str:
        return str(self.cfg["attribute"])

    @property
    def annotation(self) -> str:
        return f"token.{self.attribute}"

    def output_labels(self) -> Labels:
        return Labels(self.labels)

    def find_labels(self, examples: Sequence[Example]) -> list[str]:
        if self.attribute.startswith("_."):
            values = {value for eg in examples for value in self._extension(eg.reference)}
            for value in values - {None}:
                if not isinstance(value, str):
                    raise LabelError(
                        f"components.{self.name}: expected text in {self.annotation}, got "
                        f"{value!r}. Use strings for labels, and None for missing labels."
                    )
            return sorted(v for v in values if v is not None)
        return sorted(token_labels(self.attribute.upper(), examples))

    def gold(self, example: Example) -> np.ndarray:
        try:
            if self.attribute.startswith("_."):
                return self._named_gold(self._aligned_extension(example))
            if same_tokens(example):
                keys = example.reference.to_array(self.attribute.upper())
                return label_ids(self.labels, keys)
            values = example.get_aligned(self.attribute.upper(), as_string=True)
            return self._named_gold([value or None for value in values])
        except KeyError as error:
            key = error.args[0]
            strings = example.reference.vocab.strings
            raise self._unknown_label(strings[key] if isinstance(key, int) else key) from None

    def _named_gold(self, values: Sequence[str | None]) -> np.ndarray:
        known: dict[str | None, int] = {label: i for i, label in enumerate(self.labels)}
        known[None] = -1
        return np.array([known[value] for value in values], dtype=np.int64)

    def _extension(self, doc: Doc) -> list[str | None]:
        name = self.attribute[2:]
        if not Token.has_extension(name):
            raise SettingsError(
                f"components.{self.name}.attribute: expected a registered token extension, got "
                f"{self.attribute!r}. Call Token.set_extension({name!r}, default=None) first."
            )
        return [getattr(token._, name) for token in doc]

    def _aligned_extension(self, example: Example) -> list[str | None]:
        values = self._extension(example.reference)
        if same_tokens(example):
            return values
        align = example.alignment.x2y
        spans = [align[i] for i in range(len(example.predicted))]
        return [values[int(span[0])] if len(span) == 1 else None for span in spans]

    def read(self, decoder: Any, x: Any, lengths: np.ndarray) -> list[np.ndarray]:
        return read_states(decoder, x, lengths)

    def gold_from(self, results: Sequence[np.ndarray]) -> list[np.ndarray]:
        return list(results)

    def set_annotations(self, docs: Iterable[Doc], results: Sequence[np.ndarray]) -> None:
        write = self._write_extension if self.attribute.startswith("_.") else self._write_attribute
        for doc, ids in zip(docs, results, strict=True):
            if len(doc):
                write(doc, ids)

    def _write_attribute(self, doc: Doc, ids: np.ndarray) -> None:
        name = self.attribute.upper()
        strings = doc.vocab.strings
        keys = np.array([strings.add(label) for label in self.labels], dtype=np.uint64)[ids]
        if not self.cfg["overwrite"]:
            present = doc.to_array(name)
            keys = np.where(present == 0, keys, present)
        if name == "MORPH":
            for token, label_id in zip(doc, ids.tolist(), strict=True):
                if self.cfg["overwrite"] or not token.has_morph():
                    token.set_morph(self.labels[label_id])  # type: ignore[attr-defined]
        else:
            doc.from_array([name], keys.reshape(-1, 1))

    def _write_extension(self, doc: Doc, ids: np.ndarray) -> None:
        name = self.attribute[2:]
        for token, label_id in zip(doc, ids.tolist(), strict=True):
            if self.cfg["overwrite"] or getattr(token._, name) is None:
                token._.set(name, self.labels[label_id])

    def accuracy(self, examples: Iterable[Example], **_: Any) -> dict[str, Any]:
        """Compute the share of tokens with the reference's label; tokens without one do not
        count."""
        if not self.attribute.startswith("_."):
            return dict(Scorer.score_token_attr(examples, self.attribute))
        name = self.attribute[2:]
        return dict(
            Scorer.score_token_attr(
                examples,
                name,
                getter=lambda token, _: getattr(token._, name),
                missing_values={None},
            )
        )
