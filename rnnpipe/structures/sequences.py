"""Documents as padded lists of nodes, and the lengths that are true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from rnnpipe.errors import StructureError
from rnnpipe.structures.node_order import to_device


@dataclass(frozen=True)
class Sequences:
    """A padded, left-aligned batch of sequences (tokens, words, characters, frames).

    lengths: ``(B,)`` int64, the number of nodes of each document; 0 is allowed.
    size: T, the padded length. It stands on the host, so that no shape ever depends on data that
        lives on the device.
    host_lengths: the lengths once more, on the host, where they are known there: encoders then
        compute no padding at all.
    mentions: marked groups of nodes, where the documents are read with them.
    """

    lengths: Tensor
    size: int
    host_lengths: tuple[int, ...] | None = None
    mentions: Mentions | None = None

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device | str = "cpu") -> Sequences:
        """Return the structure of documents with these lengths, padded to the longest."""
        if any(n < 0 for n in lengths):
            raise StructureError(f"Sequences: expected lengths of 0 or more, got {list(lengths)}.")
        on_device = torch.as_tensor(list(lengths), dtype=torch.int64).to(device)
        return Sequences(on_device, max(lengths, default=0), tuple(lengths))

    @property
    def batch_size(self) -> int:
        return self.lengths.shape[0]

    @cached_property
    def mask(self) -> Tensor:
        """``(B, T)`` bool, true where there is a node."""
        steps = torch.arange(self.size, device=self.lengths.device)
        return steps < self.lengths.unsqueeze(1)

    @cached_property
    def mirror(self) -> Tensor:
        """``(B, T)`` the position that node t of the reversed document comes from; t at padding."""
        steps = torch.arange(self.size, device=self.lengths.device)
        return torch.where(self.mask, self.lengths.unsqueeze(1) - 1 - steps, steps)

    def reverse(self, x: Tensor) -> Tensor:
        """Return each document back to front, padding left where it is.
        ``(B, T, D) -> (B, T, D)``."""
        documents = torch.arange(x.shape[0], device=x.device).unsqueeze(1) * self.size
        # Whole rows: many times faster than a gather of single values.
        return x.flatten(0, 1).index_select(0, (documents + self.mirror).flatten()).view(x.shape)

    def blank(self, x: Tensor, value: float = 0.0) -> Tensor:
        """``x`` (``(B, T)`` or ``(B, T, ...)``) with every padded position set to ``value``."""
        mask = self.mask.reshape(self.mask.shape + (1,) * (x.dim() - 2))
        return x.masked_fill(~mask, value)

    def last(self, x: Tensor) -> Tensor:
        """Return the value at each document's last node, zeros if it has none.
        ``(B, T, D) -> (B, D)``."""
        if self.size == 0:
            return x.sum(1)  # zeros that are part of the graph
        index = (self.lengths - 1).clamp(min=0).reshape(-1, 1, 1).expand(-1, 1, x.shape[2])
        return x.gather(1, index).squeeze(1).masked_fill((self.lengths == 0).unsqueeze(1), 0.0)

    def first(self, x: Tensor) -> Tensor:
        """Return the value at each document's first node, or zeros. ``(B, T, D) -> (B, D)``."""
        if self.size == 0:
            return x.sum(1)
        return x[:, 0].masked_fill((self.lengths == 0).unsqueeze(1), 0.0)


@dataclass(frozen=True)
class Mentions:
    """Nodes of a document that belong together, such as the tokens of a name: the same number M of
    groups in every document of a batch.

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
        """Return the nodes of each group. ``(B, T, D) -> (B * M, S, D)``."""
        chosen = x.flatten(0, 1).index_select(0, self.index.flatten())
        return self.groups.blank(chosen.view(*self.index.shape, x.shape[2]))
