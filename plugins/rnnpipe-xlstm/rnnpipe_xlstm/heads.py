"""Heads: groups of units that hear only each other."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnpipe.api import Recurrence, SettingsError, expected, orthogonal_blocks_


def head_width(width: int, heads: int) -> int:
    """Raises SettingsError if the heads are not equal."""
    if width % heads:
        want = f"a number that divides the width ({width})"
        raise SettingsError(expected("heads", want, heads, "Set heads to 1, or change width."))
    return width // heads


class HeadwiseDense(Recurrence):
    """``U h`` for several gates, a matrix for each head:
    ``(directions, n, width) -> (directions, n, gates * width)``. Each begins orthogonal."""

    def __init__(
        self, width: int, gates: int, directions: int, heads: int, norm: nn.Module
    ) -> None:
        size = head_width(width, heads)
        super().__init__(norm, torch.empty(directions * heads, size, gates * size))
        orthogonal_blocks_(self.weight)
        self.gates = gates
        self.heads = heads

    def forward(self, h: Tensor) -> Tensor:
        directions, n, width = h.shape
        size = width // self.heads
        by_head = torch.unflatten(h, 2, (self.heads, size)).transpose(1, 2)  # (D, heads, n, size)
        product = torch.bmm(by_head.flatten(0, 1), self.matrix).to(h.dtype)
        gates = product.view(directions, self.heads, n, self.gates, size)
        blocks = gates.permute(0, 2, 3, 1, 4)  # (D, n, gates, heads, size)
        normed: Tensor = self.norm(blocks.reshape(directions, n, self.gates * width))
        return normed
