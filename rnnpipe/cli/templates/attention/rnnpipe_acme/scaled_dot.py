"""``acme.ScaledDot.v1``: the scaled dot product of two projected states."""

from __future__ import annotations

from functools import partial
from typing import cast

from torch import Tensor, nn

from rnnpipe.api import AttentionBuilder, PositiveInt, attentions


@attentions("acme.ScaledDot.v1")
def ScaledDot(width: PositiveInt = 64) -> AttentionBuilder:
    """``score(q, s) = (U q) . (W s) / sqrt(width)`` (Vaswani et al. 2017, Attention Is All You
    Need).

    width: the width of both projections.
    """
    return cast(AttentionBuilder, partial(ScaledDotAttention, width=width))


class ScaledDotAttention(nn.Module):
    def __init__(self, n_query: int, n_memory: int, width: int) -> None:
        super().__init__()
        self.scale = width**-0.5
        self.query = nn.Linear(n_query, width, bias=False)
        self.key = nn.Linear(n_memory, width, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        """Return ``(B, S, width)``, which is the same at every step."""
        keys: Tensor = self.key(states)
        return keys

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """``(B, T, S)``."""
        scores: Tensor = self.query(queries) @ keys.mT
        return scores * self.scale
