"""``rnnpipe.Additive.v1``: a small network that looks at both states."""

from __future__ import annotations

from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from rnnpipe.contracts.registry import attentions
from rnnpipe.contracts.types import AttentionBuilder, PositiveInt

# The most numbers of hidden units held at once; beyond, they are computed again for the gradient.
_MANY = 2**24


@attentions("rnnpipe.Additive.v1")
def Additive(width: PositiveInt = 128) -> AttentionBuilder:
    """``score(q, s) = v . tanh(U q + W s + b)`` (Bahdanau et al. 2015). It costs ``width`` times as
    much as a dot product of the states.

    width: of the hidden layer.
    """
    return cast(AttentionBuilder, partial(AdditiveAttention, width=width))


class AdditiveAttention(nn.Module):
    def __init__(self, n_query: int, n_memory: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(n_query, width, bias=False)
        self.key = nn.Linear(n_memory, width)
        self.score = nn.Linear(width, 1, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        keys: Tensor = self.key(states)
        return keys

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        projected = self.query(queries)  # (B, T, K)
        units_a_step = keys.numel()
        if units_a_step * queries.shape[1] <= _MANY:
            return self._compare(projected, keys)
        steps = projected.split(max(1, _MANY // units_a_step), dim=1)
        parts = [checkpoint(self._compare, part, keys, use_reentrant=False) for part in steps]
        return torch.cat(parts, dim=1)

    def _compare(self, queries: Tensor, keys: Tensor) -> Tensor:
        hidden = torch.tanh(queries.unsqueeze(2) + keys.unsqueeze(1))  # (B, T, S, K)
        scores: Tensor = self.score(hidden).squeeze(-1)
        return scores
