"""Nodes of a document that belong together, such as the tokens of a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnnpipe.structures.node_order import to_device
from rnnpipe.structures.sequences import Sequences


@dataclass(frozen=True)
class Mentions:
    """The same number M of groups of nodes in every document of a batch.

    count: M.
    groups: the groups as sequences of nodes, ``B * M`` of them, document by document.
    index: ``(B * M, S)`` the flattened ``(B * T)`` position of each of their nodes; 0 at padding.
    """

    count: int
    groups: Sequences
    index: Tensor

    @classmethod
    def of(
        cls,
        mentions: Sequence[Sequence[np.ndarray]],
        count: int,
        size: int,
        device: torch.device | str = "cpu",
    ) -> Mentions:
        """mentions: of each document, the nodes of ``count`` groups. size: T, the padded length."""
        nodes = [group + i * size for i, groups in enumerate(mentions) for group in groups]
        lengths = [len(group) for group in nodes]
        index = np.zeros((len(nodes), max(lengths, default=0)), dtype=np.int64)
        for row, group in zip(index, nodes, strict=True):
            row[: len(group)] = group
        (on_device,) = to_device([index], device)
        return cls(count, Sequences.of(lengths, device), on_device)

    def gather(self, x: Tensor) -> Tensor:
        """The nodes of each group. ``(B, T, D) -> (B * M, S, D)``."""
        chosen = x.flatten(0, 1).index_select(0, self.index.flatten())
        return self.groups.blank(chosen.view(*self.index.shape, x.shape[2]))
