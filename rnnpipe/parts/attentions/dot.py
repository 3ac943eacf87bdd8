"""``rnnpipe.Dot.v1``: source states that are like the decoder's."""

from __future__ import annotations

from torch import Tensor, nn

from rnnpipe.contracts.registry import attentions
from rnnpipe.contracts.types import AttentionBuilder
from rnnpipe.errors import SettingsError, expected


@attentions("rnnpipe.Dot.v1")
def Dot() -> AttentionBuilder:
    """``score(q, s) = q . s`` (Luong et al. 2015).

    Raises:
        SettingsError: the decoder's states and the encoder's differ in width.
    """
    return DotAttention


class DotAttention(nn.Module):
    def __init__(self, n_query: int, n_memory: int) -> None:
        super().__init__()
        if n_query != n_memory:
            want = f"a decoder whose states are as wide as the encoder's ({n_memory})"
            do = "Set its width to this number (the output of a bidirectional encoder is twice as "
            do += "wide as its setting), or use rnnpipe.General.v1."
            raise SettingsError(expected("attention", want, n_query, do))

    def keys(self, states: Tensor) -> Tensor:
        return states

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        return queries @ keys.transpose(1, 2)
