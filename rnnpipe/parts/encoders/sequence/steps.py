"""A batch of sequences as rows in the order of time, so that a step is a slice and not a mask."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from rnnpipe.structures import Sequences


@dataclass(frozen=True)
class Steps:
    """How recurrent layers read a batch: one row a node, all first nodes, then all second ones, ...

    Documents are ranked, the longest first; the rows of a step are those of ranks 0, 1, 2, ... So
    what a step's rows follow on are the first rows of the step before, and nothing is computed for
    padding: N is the number of nodes. Where only the device knows the lengths, documents keep their
    order and padding is carried along, after each document's nodes: N = B * T.

    sizes: the rows of each step, never growing; one step of none if there are no nodes.
    order: ``(B,)`` the document of each rank.
    rank: ``(N,)`` the rank of each row.
    source: ``(N,)`` where each row stands in the flattened ``(B * T)`` batch.
    target: ``(B * T,)`` the row of each position of the flattened batch, N for padding.
    mirror: ``(N,)`` the row that takes each row's place when every document is read backwards.
    previous: ``(N,)`` what each row follows on, counted in B initial states and then the N rows.
    last: ``(B,)`` where each document's last state is, counted likewise; its initial state if it
        is empty.
    packed: whether padding is left out.
    """

    sizes: list[int]
    order: Tensor
    rank: Tensor
    source: Tensor
    target: Tensor
    mirror: Tensor
    previous: Tensor
    last: Tensor
    packed: bool

    @classmethod
    def of(cls, structure: Sequences) -> Steps:
        """Return the steps of a batch."""
        if structure.host_lengths is not None:
            return _packed(np.array(structure.host_lengths, dtype=np.int64), structure)
        if structure.lengths.device.type == "cpu":
            return _packed(structure.lengths.numpy(), structure)
        return _padded(structure)

    def pack(self, x: Tensor) -> Tensor:
        """``(B, T, D) -> (N, D)``."""
        return x.flatten(0, 1).index_select(0, self.source)

    def unpack(self, rows: Tensor, structure: Sequences) -> Tensor:
        """Zeros at padding. ``(N, D) -> (B, T, D)``."""
        padded = torch.cat([rows, rows.new_zeros(1, rows.shape[1])])
        shape = (structure.batch_size, structure.size, rows.shape[1])
        return padded.index_select(0, self.target).view(shape)

    @cached_property
    def lengths(self) -> Tensor:
        """``(B,)`` how many nodes the document of each rank has."""
        if not self.packed:
            return self.last // max(1, len(self.order))
        counts = np.arange(len(self.order))[:, None] < np.array(self.sizes)  # (B, T)
        return torch.from_numpy(counts.sum(1)).to(self.rank.device)

    @cached_property
    def grid(self) -> Tensor:
        """``(T * B,)`` the row of each step and rank, N where there is none."""
        present = np.arange(len(self.order)) < np.array(self.sizes)[:, None]  # (T, B)
        rows = np.full(present.shape, len(self.rank))
        rows[present] = np.arange(len(self.rank))
        return torch.from_numpy(rows.ravel()).to(self.rank.device)

    @cached_property
    def in_grid(self) -> Tensor:
        """``(N,)`` where each row stands in the grid."""
        sizes = np.array(self.sizes)
        begin = np.repeat(np.arange(len(sizes)) * len(self.order) - np.cumsum(sizes) + sizes, sizes)
        return torch.from_numpy(begin + np.arange(len(self.rank))).to(self.rank.device)

    def to_grid(self, rows: Tensor) -> Tensor:
        """Rows as a grid of steps and ranks, for what computes all steps of a document at once;
        zeros where there is no row. ``(D, N, ...) -> (D, T, B, ...)``."""
        shape = (rows.shape[0], len(self.sizes), len(self.order), *rows.shape[2:])
        if len(self.grid) == rows.shape[1]:
            return rows.reshape(shape)
        padded = torch.cat([rows, rows.new_zeros(len(rows), 1, *rows.shape[2:])], dim=1)
        return padded.index_select(1, self.grid).view(shape)

    def from_grid(self, grid: Tensor) -> Tensor:
        """Back again. ``(D, T, B, ...) -> (D, N, ...)``."""
        flat = grid.flatten(1, 2)
        if len(self.rank) == flat.shape[1]:
            return flat
        return flat.index_select(1, self.in_grid)


def _packed(lengths: np.ndarray, structure: Sequences) -> Steps:
    order = np.argsort(-lengths, kind="stable")
    ranked = lengths[order]
    present = np.arange(max(lengths, default=0))[:, None] < ranked  # (T, B)
    step, rank = np.nonzero(present)
    sizes = present.sum(1)
    begin = np.cumsum(sizes) - sizes  # the first row of each step
    batch_size, n_rows = len(lengths), len(rank)
    source = order[rank] * structure.size + step
    target = np.full(batch_size * structure.size, n_rows)
    target[source] = np.arange(n_rows)
    last = np.arange(batch_size)
    last[ranked > 0] += batch_size + begin[ranked[ranked > 0] - 1]
    to_document = np.argsort(order)
    indices = {
        "order": order,
        "rank": rank,
        "source": source,
        "target": target,
        "mirror": begin[ranked[rank] - 1 - step] + rank,
        "previous": np.where(step > 0, batch_size + begin[step - 1], 0) + rank,
        "last": last[to_document],
    }
    device = structure.lengths.device
    on_device = {name: torch.from_numpy(index).to(device) for name, index in indices.items()}
    return Steps(sizes=sizes.tolist() or [0], packed=True, **on_device)


def _padded(structure: Sequences) -> Steps:
    batch_size, size, device = structure.batch_size, structure.size, structure.lengths.device
    documents = torch.arange(batch_size, device=device)
    grid = torch.arange(batch_size * size, device=device)
    by_document = grid.view(batch_size, size)
    row_of = grid.view(size, batch_size).t()  # (B, T): time first
    mirrored = structure.reverse(row_of.unsqueeze(-1)).squeeze(-1)
    return Steps(
        sizes=[batch_size] * size or [0],
        order=documents,
        rank=documents.repeat(size),
        source=by_document.t().flatten(),
        target=structure.blank(row_of, batch_size * size).flatten(),
        mirror=mirrored.t().flatten(),
        previous=grid,
        last=structure.lengths * batch_size + documents,
        packed=False,
    )
