"""Attention of a decoder over the states of its source's nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from rnnpipe.contracts.types import Attention, AttentionBuilder
from rnnpipe.structures import Encoded


@dataclass(frozen=True)
class Memory:
    """The attended states, one row per source.

    states: ``(B, S, H)``, zeros at padding. keys: ``(B, S, K)``, of the same nodes.
    mask: ``(B, S)`` bool, true at nodes.
    """

    states: Tensor
    keys: Tensor
    mask: Tensor

    def rows(self, rows: Tensor) -> Memory:
        """Return a memory whose row i is row ``rows[i]`` of this one."""
        states, keys, mask = (x.index_select(0, rows) for x in (self.states, self.keys, self.mask))
        return Memory(states, keys, mask)


class Attend(nn.Module):
    """Global attention (Luong et al. 2015)::

        a(t) = softmax_j score(h(t), s(j))
        c(t) = sum_j a(t, j) s(j)
        y(t) = tanh(W [c(t); h(t)] + b)

    n_query, n_memory: widths of the decoder's states h and the encoder's states s. width: of y.
    """

    def __init__(self, attention: AttentionBuilder, n_query: int, n_memory: int, width: int):
        super().__init__()
        self.attention = cast(nn.Module, attention(n_query, n_memory))
        self.combine = nn.Linear(n_memory + n_query, width)

    def memory(self, encoded: Encoded) -> Memory:
        attention = cast(Attention, self.attention)
        return Memory(encoded.states, attention.keys(encoded.states), encoded.mask)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Compute the attentional states ``(B, T, width)`` of ``(B, T, n_query)``, and the weights
        ``(B, T, S)`` of the source's nodes, which sum to 1, or are 0 for an empty source."""
        scores = cast(Attention, self.attention).scores(queries, memory.keys)
        # An empty source keeps its scores, because a softmax over nothing is not a number.
        hidden = ~memory.mask & memory.mask.any(1, keepdim=True)
        weights = scores.float().masked_fill(hidden.unsqueeze(1), -torch.inf).softmax(-1)
        weights = weights.masked_fill(~memory.mask.unsqueeze(1), 0.0)
        context = weights.to(memory.states.dtype) @ memory.states  # (B, T, H)
        joined = torch.cat([context, queries.to(context.dtype)], dim=-1)
        return torch.tanh(self.combine(joined)), weights
