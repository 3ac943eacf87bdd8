"""``rnn_ner``: named entities, predicted as tags of a scheme."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from spacy.errors import Errors
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from rnnpipe.components.labelling.base import LabellingPipe
from rnnpipe.components.labelling.gold import same_tokens, token_labels
from rnnpipe.contracts.schemes import SCHEMES, TagSet
from rnnpipe.contracts.types import Labels
from rnnpipe.errors import SettingsError, nearest

_MISSING, _INSIDE, _OUTSIDE, _BEGIN = 0, 1, 2, 3  # values of ENT_IOB


@dataclass
class Entities:
    """The answer of the network for one document.

    ids: ``(T,)`` the best tags. spans: ``(N, 3)`` their entities: start, end, label index.
    probabilities: ``(N,)`` the probability of an entity with exactly these boundaries and this
        label, summed over all tags of the other tokens; empty if not requested.
    readings: the most probable readings of the whole document, best first.
    """

    ids: np.ndarray
    spans: np.ndarray
    probabilities: np.ndarray
    readings: list[dict[str, Any]] = field(default_factory=list)


class RnnEntityRecognizer(LabellingPipe):
    """A named entity recognizer with any encoder and a decoder over token tags, such as a CRF.

    Writes ``doc.ents``; ``ent._.probability``, the entity's exact probability under the model; and
    ``doc._.entity_readings``, the ``n_best`` most probable readings of the document, each a
    dictionary of its ``probability`` and its ``entities`` as ``[start, end, label]`` token spans.
    Entities and blocked tokens of earlier components are kept; predictions that overlap them are
    dropped.
    """

    labels_documents = False
    annotation = "doc.ents"

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Any, Any],
        name: str = "rnn_ner",
        *,
        scheme: str = "BIOES",
        entity_probabilities: bool = True,
        n_best: int = 0,
        scorer: Callable[..., Any] | None = None,
    ) -> None:
        """Create the component.

        scheme: tag scheme, one of :data:`rnnpipe.contracts.schemes.SCHEMES`.
        entity_probabilities: whether to compute the probability of each entity.
        n_best: number of readings to keep.

        Raises:
            SettingsError: the scheme is unknown, or ``n_best`` is negative.
        """
        if scheme not in SCHEMES:
            raise SettingsError(
                f"components.{name}.scheme: expected one of {sorted(SCHEMES)}, got {scheme!r}. "
                + nearest(scheme, SCHEMES)
            )
        if n_best < 0:
            raise SettingsError(
                f"components.{name}.n_best: expected 0 or more, got {n_best}. "
                "Set it to 0 to store no alternative analyses."
            )
        super().__init__(
            vocab,
            model,
            name,
            scorer,
            scheme=scheme,
            entity_probabilities=entity_probabilities,
            n_best=n_best,
        )
        set_extensions()

    @property
    def tags(self) -> TagSet:
        return _tag_set(self.cfg["scheme"], self.labels)

    def output_labels(self) -> Labels:
        return Labels(self.tags.names, self.tags.scheme)

    # -- gold ----------------------------------------------------------------------------------

    def find_labels(self, examples: Sequence[Example]) -> list[str]:
        return sorted(token_labels("ENT_TYPE", examples))

    def gold(self, example: Example) -> np.ndarray:
        if same_tokens(example):
            iob, kinds = example.reference.to_array(["ENT_IOB", "ENT_TYPE"]).T
        else:
            iob, kinds = self._aligned(example)
        iob = np.where((iob == _BEGIN) & (kinds == 0), _OUTSIDE, iob)  # blocked tokens
        begun = np.isin(np.append(_OUTSIDE, iob[:-1]), (_INSIDE, _BEGIN))
        if ((iob == _INSIDE) & ~begun).any():
            raise ValueError(Errors.E093.format(seq=_iob_text(example.reference)))
        starts = np.flatnonzero(iob == _BEGIN)
        # An entity ends before the first token after its start that does not go on with it.
        breaks = np.flatnonzero(np.append(iob, 0) != _INSIDE)
        ends = breaks[np.searchsorted(breaks, starts, side="right")]
        strings = example.reference.vocab.strings
        spans = [
            (int(start), int(end), self._position(strings[int(kinds[start])]))
            for start, end in zip(starts, ends, strict=True)
        ]
        ids = self.tags.encode(spans, len(iob))
        ids[iob == _MISSING] = -1
        return ids

    def _aligned(self, example: Example) -> tuple[np.ndarray, np.ndarray]:
        """Return ENT_IOB and ENT_TYPE of the reference, aligned to the predicted document's
        tokens."""
        tags = example.get_aligned_ner()
        iob = np.full(len(tags), _MISSING)
        kinds = np.zeros(len(tags), dtype=np.uint64)
        for i, tag in enumerate(tags):
            if tag == "O":
                iob[i] = _OUTSIDE
            elif tag not in (None, "-"):
                iob[i] = _BEGIN if tag[0] in "BU" else _INSIDE
                kinds[i] = example.reference.vocab.strings.as_int(tag[2:])
        return iob, kinds

    def gold_from(self, results: Sequence[Entities]) -> list[np.ndarray]:
        return [entities.ids for entities in results]

    # -- answers -------------------------------------------------------------------------------

    def read(self, decoder: Any, x: Any, lengths: np.ndarray) -> list[Entities]:
        paths = decoder.predict(x).ids.cpu().numpy()
        found = self.tags.decode_batch(paths, lengths)  # (N, 4): document, start, end, type
        if self.cfg["entity_probabilities"] and len(found):
            logs = decoder.segment_log_probabilities(x, *torch.from_numpy(found.T))
            probabilities = logs.double().exp().cpu().numpy()
        else:
            probabilities = np.zeros(0)
        upto = np.searchsorted(found[:, 0], np.arange(1, len(lengths)))
        results = [
            Entities(path[:n], spans[:, 1:], scores)
            for path, n, spans, scores in zip(
                paths, lengths, np.split(found, upto), np.split(probabilities, upto), strict=True
            )
        ]
        if self.cfg["n_best"]:
            self._add_readings(results, decoder, x, lengths)
        return results

    def _add_readings(
        self, results: list[Entities], decoder: Any, x: Any, lengths: np.ndarray
    ) -> None:
        paths, logs = decoder.n_best(x, self.cfg["n_best"])
        probabilities = logs.double().exp().tolist()
        for result, document, scores, n in zip(
            results, paths.cpu().numpy(), probabilities, lengths, strict=True
        ):
            result.readings = [
                {"probability": p, "entities": self._named(self.tags.decode(path[:n]))}
                for path, p in zip(document, scores, strict=True)
                if p > 0.0
            ]

    def _named(self, spans: np.ndarray) -> list[list[Any]]:
        return [[start, end, self.labels[kind]] for start, end, kind in spans.tolist()]

    def set_annotations(self, docs: Iterable[Doc], results: Sequence[Entities]) -> None:
        for doc, entities in zip(docs, results, strict=True):
            found = [Span(doc, *span) for span in self._named(entities.spans)]
            iob, kinds = doc.to_array(["ENT_IOB", "ENT_TYPE"]).T
            taken = (kinds != 0) | (iob == _BEGIN)
            free = [not taken[span.start : span.end].any() for span in found]
            # There are probabilities for all entities or, if not asked for, for none.
            for span, kept, probability in zip(found, free, entities.probabilities, strict=False):
                if kept:
                    span._.probability = float(probability)
            blocked = [doc[i : i + 1] for i in np.flatnonzero(taken & (kinds == 0)).tolist()]
            new = [span for span, kept in zip(found, free, strict=True) if kept]
            doc.set_ents([*doc.ents, *new], blocked=blocked, default="outside")
            if self.cfg["n_best"]:
                doc._.entity_readings = entities.readings


def set_extensions() -> None:
    """Register ``Span._.probability`` and ``Doc._.entity_readings`` unless they exist."""
    if not Span.has_extension("probability"):
        Span.set_extension("probability", default=None)
    if not Doc.has_extension("entity_readings"):
        Doc.set_extension("entity_readings", default=None)


def _iob_text(doc: Doc) -> str:
    return " ".join(f"{token.text}|{token.ent_iob_ or '-'}" for token in doc)


@lru_cache(maxsize=32)
def _tag_set(scheme: str, types: tuple[str, ...]) -> TagSet:
    return SCHEMES[scheme].bind(SCHEMES[scheme].tags(types))
