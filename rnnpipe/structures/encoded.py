"""What an encoder makes of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import torch
from torch import Tensor

from rnnpipe.structures.graphs import Graphs
from rnnpipe.structures.grids import Grids
from rnnpipe.structures.sequences import Sequences
from rnnpipe.structures.state import State
from rnnpipe.structures.trees import Trees

#: Any structure. All are lists of nodes.
Structure: TypeAlias = Sequences | Trees | Graphs | Grids


@dataclass(frozen=True)
class Encoded:
    """What an encoder makes of a batch.

    states: ``(B, T, H)``; ``states[:, i]`` belongs to node i; zeros at padded positions.
    structure: the structure that was encoded.
    n_forward: the features ``states[..., :n_forward]`` read the document from its first node on,
        the rest from its last node back. H for a one-directional encoder.
    state: what a causal encoder needs to go on from here (see
        :class:`rnnpipe.contracts.types.Stepper`).
    """

    states: Tensor
    structure: Structure
    n_forward: int
    state: State = None

    @property
    def lengths(self) -> Tensor:
        return self.structure.lengths

    @property
    def mask(self) -> Tensor:
        return self.structure.mask

    @cached_property
    def final(self) -> Tensor:
        """``(B, H)``: the last node of the forward half, the first node of the backward half."""
        forward = self.structure.last(self.states[..., : self.n_forward])
        if self.n_forward == self.states.shape[-1]:
            return forward
        backward = self.structure.first(self.states[..., self.n_forward :])
        return torch.cat([forward, backward], dim=-1)
