"""How far a token is from each of the marked mentions of its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import embeddings
from rnnpipe.contracts.types import DocLike, EmbeddingBuilder, Features, PositiveInt
from rnnpipe.parts.embeddings.builder import Builder
from rnnpipe.parts.structures.doc_annotation import mentions_of


@embeddings("rnnpipe.MentionPositions.v1")
def MentionPositions(
    width: PositiveInt = 10,
    spans_key: str = "mentions",
    count: PositiveInt = 2,
    longest: PositiveInt = 30,
) -> EmbeddingBuilder:
    """Where a token stands, seen from each mention: position features for any encoder. They also
    mark the mentions, whose tokens are at distance 0.

    width: of the vector for each mention; a token has them side by side.
    spans_key: the mentions are the spans of ``doc.spans[spans_key]``.
    count: how many there are in every document.
    longest: distances beyond this many tokens count as this many.
    """
    module = partial(
        MentionPositionEmbedding, width=width, spans_key=spans_key, count=count, longest=longest
    )
    return Builder(module)


class MentionPositionEmbedding(nn.Module):
    """``e(t) = [P_1(d_1(t)); ...; P_M(d_M(t))]`` (Zeng et al. 2014, Relation Classification via
    Convolutional Deep Neural Network, position features): ``d_k(t)`` is 0 inside mention k, the
    number of tokens to its last one after it, and minus that to its first one before it; a learned
    table ``P_k`` for each mention. Vectors start uniform in ``+-sqrt(3 / width)``."""

    lexical = False

    def __init__(self, *, width: int, spans_key: str, count: int, longest: int) -> None:
        super().__init__()
        self.n_out = count * width
        self.spans_key = spans_key
        self.count = count
        self.longest = longest
        self.table = nn.Embedding(count * (2 * longest + 1), width)
        bound = (3 / width) ** 0.5
        nn.init.uniform_(self.table.weight, -bound, bound)

    def initialize(self, vocab: Any) -> None:
        """Nothing comes from elsewhere."""

    def featurize(self, items: Sequence[DocLike]) -> Features:
        """``rows``: ``(N, M)`` int64. Raises StructureError: no such span group, another number of
        spans, or an empty one."""
        rows = [self._rows(doc) for doc in items]
        return {"rows": np.concatenate([np.zeros((0, self.count), dtype=np.int64), *rows])}

    def _rows(self, doc: DocLike) -> np.ndarray:
        tokens = np.arange(len(doc))
        rows = np.zeros((len(doc), self.count), dtype=np.int64)
        for k, (start, end) in enumerate(mentions_of(doc, self.spans_key, self.count)):
            distance = np.minimum(tokens - start, 0) + np.maximum(tokens - end + 1, 0)
            rows[:, k] = distance.clip(-self.longest, self.longest) + self.longest
        return cast(np.ndarray, rows + np.arange(self.count) * (2 * self.longest + 1))

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """``(N, count * width)``."""
        return torch.flatten(self.table(features["rows"]), 1)
