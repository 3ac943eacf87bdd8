"""The transition scores of a CRF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, cast

import numpy as np
import torch

from rnnpipe.components.labelling.rnn_ner import RnnEntityRecognizer
from rnnpipe.components.labelling.rnn_tagger import RnnTagger
from rnnpipe.components.network_model import network_shim
from rnnpipe.errors import SettingsError, expected
from rnnpipe.models.labelling.network import Network
from rnnpipe.parts.decoders.crf import CRFDecoder

#: What stands before the first token, and after the last.
START, END = "start", "end"


@dataclass(frozen=True)
class Transitions:
    """scores: ``(L + 1, L + 1)`` in nats, ``[from, to]``: from the start or one of L labels, to a
    label or the end; ``-inf`` where the scheme forbids it, NaN from the start to the end.

    A document's labels y have the probability ``exp(score(y)) / Z``; the scores here are those
    terms of ``score(y) = start[y_1] + sum_t emission_t[y_t] + transitions[y_t, y_t+1] + end[y_n]``
    that do not depend on the text.

    of_types: the labels are types of entities: see :meth:`by_type`.
    """

    labels: Sequence[str]
    scores: np.ndarray
    of_types: bool = False

    @property
    def sources(self) -> list[str]:
        """The names of the rows."""
        return [START, *self.labels]

    @property
    def targets(self) -> list[str]:
        """The names of the columns."""
        return [*self.labels, END]

    def by_type(self) -> Transitions:
        """The same for types of entities, where the labels are ``O`` and tags like ``B-PER``.

        From a type to a type: the mean of all scores, of those that are not forbidden, from a tag
        of the one to a tag of the other that may begin an entity, as the first of a document may.
        """
        kinds = [label.partition("-")[2] or label for label in self.labels]
        if not all(label == "O" or label[1:2] == "-" for label in self.labels):
            return self
        types = list(dict.fromkeys(kinds))
        sources, targets = np.array([START, *kinds]), np.array([*kinds, END])
        allowed = np.isfinite(self.scores) & np.append(np.isfinite(self.scores[0, :-1]), True)
        scores = np.full((len(types) + 1, len(types) + 1), -np.inf)
        for (row, source), (column, target) in product(
            enumerate([START, *types]), enumerate([*types, END])
        ):
            chosen = allowed & (sources == source)[:, None] & (targets == target)
            if chosen.any():
                scores[row, column] = self.scores[chosen].mean()
        scores[0, -1] = np.nan
        return Transitions(types, scores, of_types=True)

    def as_json(self) -> dict[str, Any]:
        """What is forbidden is ``None``."""
        rows = [[None if np.isinf(v) else v for v in row] for row in self.scores.tolist()]
        return {
            "labels": list(self.labels),
            "start": rows[0][:-1],
            "transitions": [row[:-1] for row in rows[1:]],
            "end": [row[-1] for row in rows[1:]],
        }


def transitions(pipe: RnnTagger | RnnEntityRecognizer) -> Transitions:
    """The scores of a component's CRF.

    RAISES: SettingsError if its decoder has no transition scores.
    """
    with network_shim(pipe.model).evaluation() as module:
        decoder = cast(Network, module).decoder
        if not isinstance(decoder, CRFDecoder):
            where, got = f"components.{pipe.name}.model.decoder", type(decoder).__name__
            do = "Train it with @rnnpipe_decoders = 'rnnpipe.CRF.v1'."
            raise SettingsError(expected(where, "a CRF", got, do))
        size = len(decoder.labels)
        scores = torch.full((size + 1, size + 1), torch.nan)
        scores[0, :-1] = decoder.forbid(decoder.start, decoder.start_allowed)
        scores[1:, :-1] = decoder.forbid(decoder.transitions, decoder.transitions_allowed)
        scores[1:, -1] = decoder.forbid(decoder.end, decoder.end_allowed)
    return Transitions(decoder.labels.names, scores.double().numpy())
