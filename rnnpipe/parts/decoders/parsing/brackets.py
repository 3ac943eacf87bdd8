"""Which constituents cross the gold ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Brackets:
    """The gold constituents of R documents, so arranged that one look tells whether another crosses
    any of them: shares tokens with it while neither holds the other.

    first_end: ``(R, T + 2)`` of the constituents that begin before a token and reach beyond its
        beginning, where the first of them ends.
    last_start: ``(R, T + 2)`` where the last of them begins.
    """

    first_end: Tensor
    last_start: Tensor

    @classmethod
    def of(cls, spans: Tensor, size: int) -> Brackets:
        """spans: ``(R, M, 2)`` int64, first token and end; -1 where there is none. size: T."""
        position = torch.arange(size + 2, device=spans.device)
        start, end = spans.unsqueeze(3).unbind(2)  # (R, M, 1)
        across = (start < position) & (position < end)  # (R, M, T + 2)
        return cls(
            torch.where(across, end, size + 2).amin(1),
            torch.where(across, start, -1).amax(1),
        )

    def repeat(self, times: int) -> Brackets:
        """Return all documents once more, after the first ones."""
        return Brackets(self.first_end.repeat(times, 1), self.last_start.repeat(times, 1))

    def crossed(self, rows: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """Return whether constituents from ``start`` to ``end`` of the documents ``rows`` cross a
        gold one. Shapes that can be broadcast, int64, to bool."""
        return (self.first_end[rows, start] < end) | (self.last_start[rows, end] > start)
