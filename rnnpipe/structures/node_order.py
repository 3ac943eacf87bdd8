"""The nodes of a batch without padding, in the order in which they are computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class NodeOrder:
    """N nodes, wherever they stand in the padded batch.

    order: ``(N,)`` the flattened ``(B * T)`` position of each node in the order of computation.
    rows: ``(B, T)`` where in that order each node stands; N at padding.
    """

    order: Tensor
    rows: Tensor

    def gather(self, x: Tensor) -> Tensor:
        """Return the nodes alone, in the order of computation. ``(B, T, D) -> (N, D)``."""
        return x.flatten(0, 1).index_select(0, self.order)

    def scatter(self, nodes: Tensor) -> Tensor:
        """Nodes in the order of computation back to their places. ``(N, H) -> (B, T, H)``."""
        padded = torch.cat([nodes, nodes.new_zeros(1, nodes.shape[1])])
        places = padded.index_select(0, self.rows.flatten())  # (B * T, H)
        return places.view(*self.rows.shape, nodes.shape[1])


def positions_of(lengths: np.ndarray) -> np.ndarray:
    """``(N,)`` the flattened ``(B * T)`` position of each node, document by document."""
    size = int(lengths.max(initial=0))
    first = np.cumsum(lengths) - lengths
    shift = np.arange(len(lengths)) * size - first
    positions: np.ndarray = np.arange(int(lengths.sum())) + np.repeat(shift, lengths)
    return positions


def rows_of(order: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """``(B, T)`` :attr:`NodeOrder.rows` for an order."""
    rows = np.full((len(lengths), int(lengths.max(initial=0))), len(order), dtype=np.int64)
    rows.reshape(-1)[order] = np.arange(len(order))
    return rows


def to_device(arrays: list[np.ndarray], device: torch.device | str) -> list[Tensor]:
    """Arrays of int64 as tensors, in one copy."""
    packed = torch.from_numpy(np.concatenate([a.ravel() for a in arrays])).to(device)
    parts = torch.split(packed, [a.size for a in arrays])
    return [part.view(a.shape) for part, a in zip(parts, arrays, strict=True)]
