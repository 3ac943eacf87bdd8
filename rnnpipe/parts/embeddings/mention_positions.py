"""The distances of a token from the marked mentions of its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import embeddings
from rnnpipe.contracts.types import DocLike, Features, PositiveInt
from rnnpipe.parts.embeddings.builder import SingleEmbedding
from rnnpipe.parts.structures.doc_annotation import mentions_of


@embeddings("rnnpipe.MentionPositions.v1")
@dataclass(frozen=True)
class MentionPositions(SingleEmbedding):
    """Distances of a token from each mention: position features for any encoder. They also mark the
    mentions, whose tokens have distance 0.

    width: size of the vector for each mention; a token has one per mention, concatenated.
    spans_key: the mentions are the spans of ``doc.spans[spans_key]``.
    count: number of mentions in every document.
    longest: maximum distance in tokens; longer ones count as this.
    """

    width: PositiveInt = 10
    spans_key: str = "mentions"
    count: PositiveInt = 2
    longest: PositiveInt = 30

    def build(self, facts: dict[str, Any]) -> MentionPositionEmbedding:
        return MentionPositionEmbedding(self)


class MentionPositionEmbedding(nn.Module):
    """``e(t) = [P_1(d_1(t)); ...; P_M(d_M(t))]`` (Zeng et al. 2014, Relation Classification via
    Convolutional Deep Neural Network, position features): ``d_k(t)`` is 0 inside mention k,
    positive after it and negative before it, in tokens; ``P_k`` is a learned table per mention.
    Vectors start uniform in ``+-sqrt(3 / width)``."""

    lexical = False

    def __init__(self, settings: MentionPositions) -> None:
        super().__init__()
        self.settings = settings
        self.n_out = settings.count * settings.width
        self.table = nn.Embedding(settings.count * (2 * settings.longest + 1), settings.width)
        bound = (3 / settings.width) ** 0.5
        nn.init.uniform_(self.table.weight, -bound, bound)

    def initialize(self, vocab: Any) -> None:
        """Do nothing: all weights are learned."""

    def featurize(self, items: Sequence[DocLike]) -> Features:
        """Return ``rows``, ``(N, M)`` int64.

        Raises:
            StructureError: the span group is missing, has another number of spans, or an empty one.
        """
        rows = [self._rows(doc) for doc in items]
        return {"rows": np.concatenate([np.zeros((0, self.settings.count), dtype=np.int64), *rows])}

    def _rows(self, doc: DocLike) -> np.ndarray:
        tokens, count, longest = np.arange(len(doc)), self.settings.count, self.settings.longest
        rows = np.zeros((len(doc), count), dtype=np.int64)
        for k, (start, end) in enumerate(mentions_of(doc, self.settings.spans_key, count)):
            distance = np.minimum(tokens - start, 0) + np.maximum(tokens - end + 1, 0)
            rows[:, k] = distance.clip(-longest, longest) + longest
        return cast(np.ndarray, rows + np.arange(count) * (2 * longest + 1))

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors, ``(N, count * width)``."""
        return torch.flatten(self.table(features["rows"]), 1)
