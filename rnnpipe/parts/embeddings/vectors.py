"""Word vectors of the pipeline, in ``nlp.vocab.vectors``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from rnnpipe.contracts.registry import embeddings
from rnnpipe.contracts.types import Features, PositiveInt, Words
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.embeddings.builder import SingleEmbedding

_LOAD = (
    "Set [initialize] vectors to a pipeline that has them; 'spacy init vectors' makes one from a "
    "file of word vectors."
)


@embeddings("rnnpipe.Vectors.v1")
@dataclass(frozen=True)
class Vectors(SingleEmbedding):
    """The vectors of ``nlp.vocab``, of any kind: one per word, shared by several words, or floret.

    finetune: learn a change to the vector of each word of the training documents that has one.
    width: size to which a learned linear map projects the vectors; by default they stay as they
        are.
    lowercase: use the vector of the lower-case form for a word without a vector. Words without
        either get zeros.

    Raises:
        SettingsError: during training, the vocabulary has no vectors, or one of them is not finite.
    """

    finetune: bool = False
    width: PositiveInt | None = None
    lowercase: bool = True

    def measure(self, counts: Mapping[str, int], vocab: Any) -> dict[str, Any]:
        """Return ``n_in``, the size of the vectors, and ``finetuned``, the words whose vectors
        change."""
        if not all(vocab.vectors.shape):
            raise SettingsError(
                expected("rnnpipe.Vectors.v1", "word vectors in nlp.vocab", "no vectors", _LOAD)
            )
        _refuse_bad_numbers(vocab)
        finetuned: list[str] = []
        if self.finetune:
            attribute = _key_attribute(vocab)
            keys = (getattr(vocab[text], attribute) for text in counts)
            found = [key for key in _resolve(keys, vocab, self.lowercase) if key in vocab.vectors]
            finetuned = sorted({vocab.strings[key] for key in found})
        return {"n_in": vocab.vectors.shape[1], "finetuned": finetuned}

    def build(self, facts: dict[str, Any]) -> VectorEmbedding:
        return VectorEmbedding(self, **facts)


def _refuse_bad_numbers(vocab: Any) -> None:
    vectors = vocab.vectors
    totals = _on_host(vectors.data.sum(axis=1, dtype="float64"))  # not finite if any number is not
    bad = np.flatnonzero(~np.isfinite(totals))
    if len(bad):
        rows = getattr(vectors, "key2row", {})
        keys = [key for key, row in rows.items() if row == bad[0] and key in vocab.strings]
        culprit = repr(vocab.strings[keys[0]]) if keys else f"row {bad[0]} of the table"
        raise SettingsError(
            "rnnpipe.Vectors.v1: expected finite numbers in all word vectors, got NaN or infinity "
            f"for {culprit} ({len(bad)} of {len(totals)} vectors). Repair them and load them again."
        )


def _key_attribute(vocab: Any) -> str:
    """Return the token attribute that the vectors' keys are, usually ``orth``."""
    number = getattr(vocab.vectors, "attr", None)  # tables of other kinds do not say
    return "orth" if number is None else str(vocab.strings[number]).lower()


def _resolve(keys: Iterable[int], vocab: Any, lowercase: bool) -> list[int]:
    """Return the keys to look up: the lower-case form's where only that has a vector."""
    known = vocab.vectors
    if not lowercase:
        return list(keys)
    strings = vocab.strings
    return [key if key in known else strings[strings[key].lower()] for key in keys]


def _on_host(array: Any) -> np.ndarray:
    """Return a numpy array of a numpy or, for vectors on a GPU, cupy array."""
    host: np.ndarray = array.get() if hasattr(array, "get") else array
    return host


class VectorEmbedding(nn.Module):
    """``e(w) = P (v(w) + d(w))``: ``v`` the vocabulary's vector, zeros for a word without one;
    ``d`` a learned change, starting at zero and only for the fine-tuned words; ``P`` a learned
    linear map, or the identity.

    To learn the change is to fine-tune the vector, but nothing is stored twice, and weight decay
    pulls towards the vector instead of zero. The vectors are read from the vocabulary at each call
    and must stay with the pipeline.

    n_in: the size of the vectors. finetuned: the words whose vectors change.
    """

    lexical = True

    def __init__(self, settings: Vectors, n_in: int, finetuned: Sequence[str]) -> None:
        super().__init__()
        width = settings.width
        self.n_in = n_in
        self.n_out = width or n_in
        self.lowercase = settings.lowercase
        self.changes = nn.Embedding(len(finetuned) + 1, n_in, padding_idx=0) if finetuned else None
        if self.changes is not None:
            nn.init.zeros_(self.changes.weight)
        self.project = nn.Linear(n_in, width) if width else nn.Identity()
        self._row_of_text = {text: row for row, text in enumerate(finetuned, start=1)}

    def initialize(self, vocab: Any) -> None:
        """Do nothing: the vectors are read from the vocabulary."""

    def featurize(self, items: Words) -> Features:
        """Return ``vectors``, ``(U, n_in)`` float32, and with fine-tuning ``rows``, ``(U,)`` int64.

        Raises:
            SettingsError: the vocabulary's vectors are missing, or of another size.
        """
        vocab = items.vocab
        if vocab.vectors.shape[1] != self.n_in:
            raise SettingsError(
                expected(
                    "rnnpipe.Vectors.v1",
                    f"the word vectors of size {self.n_in} used to train the network",
                    f"a table of shape {vocab.vectors.shape} in nlp.vocab",
                    "Load the pipeline with its own vocabulary.",
                )
            )
        attribute = _key_attribute(vocab)
        column = getattr(items, attribute, None)
        if column is None:
            keys = [getattr(vocab[key], attribute) for key in items.orth.tolist()]
        else:
            keys = column.tolist()
        keys = _resolve(keys, vocab, self.lowercase)
        features = {"vectors": self._look_up(keys, vocab.vectors)}
        if self.changes is not None:
            texts = (vocab.strings[key] for key in keys)
            rows = [self._row_of_text.get(text, 0) for text in texts]
            features["rows"] = np.array(rows, dtype=np.int64)
        return features

    def _look_up(self, keys: list[int], vectors: Any) -> np.ndarray:
        found = [key in vectors for key in keys]
        table = np.zeros((len(keys), self.n_in), dtype=np.float32)
        if any(found):
            batch = vectors.get_batch([k for k, yes in zip(keys, found, strict=True) if yes])
            table[found] = _on_host(batch)
        return table

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors, ``(U, n_out)``."""
        x = features["vectors"]  # (U, n_in)
        if self.changes is not None:
            x = x + self.changes(features["rows"])
        output: Tensor = self.project(x)
        return output
