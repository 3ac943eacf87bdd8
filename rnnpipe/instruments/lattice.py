"""How a network comes to the labels of a text: the lattice of all label sequences.

A decoder over label sequences, such as a CRF, gives each sequence y of a text's T tokens a
probability p(y | x). Its best path, ``argmax_y p(y | x)``, is what the component answers (Viterbi
1967). Others may be nearly as good, which shows in the n best paths, in each label's marginal
probability, ``p(y_t = l | x)``, the sum over all paths through label l at token t, and in that of
each entity, the sum over all paths that have the entity, whatever they say of the other tokens.
All are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from spacy.language import Language

from rnnpipe.components.labelling.network import answers
from rnnpipe.components.labelling.rnn_ner import RnnEntityRecognizer
from rnnpipe.components.labelling.rnn_tagger import RnnTagger
from rnnpipe.errors import SettingsError, expected
from rnnpipe.instruments.encoders import annotated_before
from rnnpipe.parts.decoders.sequence import SequenceDecoder

#: A label that has less probability than that at every token need not be looked at.
_NEGLIGIBLE = 0.01


@dataclass(frozen=True)
class Reading:
    """path: ``(T,)`` label ids. probability: of the whole path."""

    path: np.ndarray
    probability: float


@dataclass(frozen=True)
class Entity:
    """Tokens ``start`` to ``end`` (exclusive), with the probability of exactly this entity."""

    start: int
    end: int
    label: str
    probability: float


@dataclass(frozen=True)
class Lattice:
    """tokens, spaces: the T tokens, and what stands after each of them. labels: L names.
    marginals: ``(T, L)``, each row adds up to 1. readings: the most probable paths, best first.
    entities: of the best one; none where labels are not those of a tag scheme."""

    tokens: Sequence[str]
    spaces: Sequence[str]
    labels: Sequence[str]
    marginals: np.ndarray
    readings: Sequence[Reading]
    entities: Sequence[Entity]

    @property
    def considered(self) -> list[int]:
        """The labels that some token may well have."""
        used = {int(label) for reading in self.readings for label in reading.path}
        likely = np.flatnonzero(self.marginals.max(0) >= _NEGLIGIBLE).tolist()
        return sorted(used | set(likely))

    def as_json(self) -> dict[str, Any]:
        return {
            "tokens": list(self.tokens),
            "labels": list(self.labels),
            "marginals": self.marginals.tolist(),
            "readings": [
                {"probability": r.probability, "labels": [self.labels[i] for i in r.path]}
                for r in self.readings
            ],
            "entities": [vars(entity) for entity in self.entities],
        }


def lattice(
    nlp: Language, pipe: RnnTagger | RnnEntityRecognizer, text: str, n_best: int
) -> Lattice:
    """What a component makes of a text.

    n_best: how many readings, if there are as many.
    RAISES: SettingsError if its decoder knows nothing of sequences, or the text has no tokens.
    """
    doc = annotated_before(nlp, pipe, text)
    if not len(doc):
        raise SettingsError(
            expected("text", "a text with tokens", "no tokens", "Pass another text.")
        )

    def read(decoder: Any, x: Any, lengths: np.ndarray) -> list[Lattice]:
        if not isinstance(decoder, SequenceDecoder):
            where, got = f"components.{pipe.name}.model.decoder", type(decoder).__name__
            do = "Train it with @rnnpipe_decoders = 'rnnpipe.CRF.v1'."
            raise SettingsError(expected(where, "a decoder of label sequences", got, do))
        paths, logs = decoder.n_best(x, n_best)
        readings = [
            Reading(path, probability)
            for path, probability in zip(
                paths[0].cpu().numpy(), logs[0].double().exp().tolist(), strict=True
            )
            if probability > 0.0
        ]
        labels = pipe.output_labels().names
        marginals = decoder.marginals(x)[0].double().cpu().numpy()
        entities = _entities(decoder, x, paths[:, 0].cpu().numpy(), lengths)
        tokens, spaces = [t.text for t in doc], [t.whitespace_ for t in doc]
        return [Lattice(tokens, spaces, labels, marginals, readings, entities)]

    (found,) = answers(pipe.model, [doc], read)
    return found


def _entities(
    decoder: SequenceDecoder, x: Any, paths: np.ndarray, lengths: np.ndarray
) -> list[Entity]:
    if decoder.tags is None:
        return []
    found = decoder.tags.decode_batch(paths, lengths)  # (N, 4): document, start, end, type
    if not len(found):
        return []
    logs = decoder.segment_log_probabilities(x, *torch.from_numpy(found.T))
    return [
        Entity(start, end, decoder.tags.types[kind], probability)
        for (_, start, end, kind), probability in zip(
            found.tolist(), logs.double().exp().tolist(), strict=True
        )
    ]
