"""The transition scores of a CRF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    """

    labels: Sequence[str]
    scores: np.ndarray

    @property
    def sources(self) -> list[str]:
        """The names of the rows."""
        return [START, *self.labels]

    @property
    def targets(self) -> list[str]:
        """The names of the columns."""
        return [*self.labels, END]

    @property
    def largest(self) -> float:
        """The largest absolute value of a score that is not forbidden."""
        return float(np.abs(self.scores[np.isfinite(self.scores)]).max(initial=0.0))

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
