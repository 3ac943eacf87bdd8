"""``extras.Cosine.v1``: looks at nodes by their direction."""

from __future__ import annotations

import math
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.api import AttentionBuilder, PositiveFloat, PositiveInt, attentions


@attentions("extras.Cosine.v1")
def Cosine(width: PositiveInt = 64, sharpness: PositiveFloat = 10.0) -> AttentionBuilder:
    """``score(q, s) = g cos(U q, W s)``, g learned (content addressing, Graves et al. 2014, Neural
    Turing Machines, section 3.3.1). No node is looked at for being large.

    width: of what is compared. sharpness: g, at first.
    """
    return cast(AttentionBuilder, partial(CosineAttention, width=width, sharpness=sharpness))


class CosineAttention(nn.Module):
    def __init__(self, n_query: int, n_memory: int, width: int, sharpness: float) -> None:
        super().__init__()
        self.query = nn.Linear(n_query, width, bias=False)
        self.key = nn.Linear(n_memory, width, bias=False)
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(sharpness)))

    def keys(self, states: Tensor) -> Tensor:
        """``(B, S, width)``, of length 1."""
        return F.normalize(self.key(states), dim=-1)

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        directions = F.normalize(self.query(queries), dim=-1)  # (B, T, width)
        return self.log_sharpness.exp() * (directions @ keys.mT)
