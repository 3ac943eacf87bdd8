"""A document is all that several poolers say of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import poolers
from rnnpipe.contracts.types import PoolerBuilder
from rnnpipe.errors import SettingsError, expected
from rnnpipe.structures import Encoded


@poolers("rnnpipe.Concat.v1")
def Concat(parts: dict[str, PoolerBuilder]) -> PoolerBuilder:
    """The results of all parts, one after the other. A part's name is only there for the config,
    ``[....pooler.parts.max]`` after ``[....pooler.parts]``. Raises SettingsError without parts."""
    if not parts:
        raise SettingsError(
            expected(
                "rnnpipe.Concat.v1, parts",
                "at least one pooler",
                "no parts",
                "Add a block such as [components.textcat.model.pooler.parts.max] under it.",
            )
        )
    return partial(ConcatPooler, parts=tuple(parts.values()))


class ConcatPooler(nn.Module):
    """``[p_1(h); ...; p_n(h)]``."""

    def __init__(self, n_in: int, parts: Sequence[PoolerBuilder]) -> None:
        super().__init__()
        built = [part(n_in) for part in parts]
        self.parts = nn.ModuleList(cast(nn.Module, part) for part in built)
        self.n_out = sum(part.n_out for part in built)

    def forward(self, encoded: Encoded) -> Tensor:
        """Return the pooled states, ``(B, n_out)``."""
        return torch.cat([part(encoded) for part in self.parts], dim=-1)
