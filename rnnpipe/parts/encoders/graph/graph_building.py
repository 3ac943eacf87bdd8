"""How encoders over graphs are built: they are told how many types of edges there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from torch import nn

from rnnpipe.contracts.types import Encoder


@dataclass(frozen=True)
class GraphBuilder:
    """A :class:`~rnnpipe.contracts.types.GraphEncoderBuilder`. encoder: called with ``n_in`` and
    ``n_types``, its settings filled in."""

    encoder: Callable[[int, int], nn.Module]
    n_types: int = 1

    def __call__(self, n_in: int) -> Encoder:
        return cast(Encoder, self.encoder(n_in, self.n_types))

    def typed(self, n_types: int) -> GraphBuilder:
        return replace(self, n_types=n_types)
