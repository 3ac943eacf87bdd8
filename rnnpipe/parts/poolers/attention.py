"""A document is a weighted average of its nodes, the weights learned."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import poolers
from rnnpipe.contracts.types import PoolerBuilder, PositiveInt
from rnnpipe.structures import Encoded


@poolers("rnnpipe.Attention.v1")
def Attention(width: PositiveInt | None = None) -> PoolerBuilder:
    """A weighted mean: see :class:`AttentionPooler`, whose ``weights(encoded)`` can be read back.

    width: the size of the hidden layer that scores a node; by default that of the states.
    """
    return partial(AttentionPooler, width=width)


class AttentionPooler(nn.Module):
    """``sum_t a(t) h(t)``, ``a = softmax_t(v . tanh(W h(t) + b))`` over the document's nodes; zeros
    for an empty document (Yang et al. 2016, Hierarchical Attention Networks)."""

    def __init__(self, n_in: int, width: int | None = None) -> None:
        super().__init__()
        self.n_out = n_in
        self.hidden = nn.Linear(n_in, width or n_in)
        self.score = nn.Linear(width or n_in, 1, bias=False)

    def weights(self, encoded: Encoded) -> Tensor:
        """``(B, T)``: each node's share, 0 at padding; a document's shares add up to 1."""
        scores = self.score(torch.tanh(self.hidden(encoded.states))).squeeze(-1)  # (B, T)
        # An empty document keeps its scores, because a softmax over nothing is not a number.
        hidden = ~encoded.mask & (encoded.lengths > 0).unsqueeze(1)
        shares = torch.softmax(scores.masked_fill(hidden, -math.inf), dim=1)
        return encoded.structure.blank(shares)

    def forward(self, encoded: Encoded) -> Tensor:
        """Return the pooled states, ``(B, H)``."""
        states = encoded.structure.blank(encoded.states)  # 0 * NaN would be NaN
        return torch.bmm(self.weights(encoded).unsqueeze(1), states).squeeze(1)
