"""A document is its marked mentions, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from rnnpipe.contracts.registry import poolers
from rnnpipe.contracts.types import PoolerBuilder, PositiveInt
from rnnpipe.errors import StructureError, expected
from rnnpipe.structures import Encoded


@poolers("rnnpipe.Mentions.v1")
@dataclass(frozen=True)
class Mentions:
    """The nodes of each mention, pooled by another pooler. The network's structure must be
    ``rnnpipe.WithMentions.v1``.

    pooler: such as ``rnnpipe.Mean.v1``, ``rnnpipe.Max.v1`` or ``rnnpipe.Attention.v1``; with
        ``rnnpipe.Last.v1``, a mention is its last node, and its first one read from the end.
    count: how many mentions every document has.
    """

    pooler: PoolerBuilder
    count: PositiveInt = 2

    def __call__(self, n_in: int) -> MentionPooler:
        return MentionPooler(n_in, self)


class MentionPooler(nn.Module):
    """``[p(h_1); ...; p(h_M)]``, h_k the states of the nodes of mention k; zeros for an empty
    document (relations of any arity, as Peng et al. 2017 represent them)."""

    def __init__(self, n_in: int, settings: Mentions) -> None:
        super().__init__()
        built = settings.pooler(n_in)
        self.count = settings.count
        self.pooler = cast(nn.Module, built)
        self.n_out = self.count * built.n_out

    def forward(self, encoded: Encoded) -> Tensor:
        """``(B, count * H)``. Raises StructureError unless so many mentions are marked."""
        mentions = encoded.structure.mentions
        if mentions is None or mentions.count != self.count:
            got = "no mentions" if mentions is None else mentions.count
            do = "Set the network's structure to 'rnnpipe.WithMentions.v1', with the same count."
            raise StructureError(expected("pooler", f"{self.count} marked mentions", got, do))
        states = mentions.gather(encoded.states)  # (B * M, S, H)
        pooled = self.pooler(Encoded(states, mentions.groups, encoded.n_forward))
        return cast(Tensor, pooled.view(-1, self.n_out))
