"""The training items of a network that labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpipe.contracts.types import DocLike


@dataclass(frozen=True)
class AnnotatedDoc:
    """A document and its gold annotation, as in :data:`rnnpipe.contracts.types.Gold` without the
    batch axis. Its length is the number of labelled tokens, constituents or documents."""

    doc: DocLike
    gold: np.ndarray

    def __len__(self) -> int:
        gold = self.gold
        if gold.dtype == np.bool_:  # (T, L): which labels are possible
            return int((~gold.all(axis=-1)).sum())
        if gold.dtype.kind == "f":  # (L,): truths, NaN where missing
            return int(not np.isnan(gold).all())
        if gold.ndim == 2:  # (M, 3): first token, end and class of constituents
            return len(gold)
        return int((gold >= 0).sum())
