"""``rnnpipe.General.v1``: a learned comparison of decoder and source states."""

from __future__ import annotations

from torch import Tensor, nn

from rnnpipe.contracts.registry import attentions
from rnnpipe.contracts.types import AttentionBuilder


@attentions("rnnpipe.General.v1")
def General() -> AttentionBuilder:
    """``score(q, s) = q . W s`` (Luong et al. 2015)."""
    return GeneralAttention


class GeneralAttention(nn.Module):
    def __init__(self, n_query: int, n_memory: int) -> None:
        super().__init__()
        self.key = nn.Linear(n_memory, n_query, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        keys: Tensor = self.key(states)
        return keys

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        return queries @ keys.transpose(1, 2)
