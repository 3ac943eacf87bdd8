"""Building binary trees from the leaves, a pair of neighbours at a time: greedily, or by beam.

All documents of a batch join a pair in the same step, with all their hypotheses. Nothing waits for
the device, and no shape depends on what is found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnpipe.parts.decoders.parsing.brackets import Brackets

#: From the states of left and right parts, ``(n, S)`` each, to those of the wholes and their scores
#: ``(n,)``.
Compose = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Penalty:
    """What is added to the score of a constituent that crosses a gold one: the loss of a
    loss-augmented search, or ``-inf`` for one that must not cross. cost: ``(R,)``."""

    gold: Brackets
    cost: Tensor

    def apply(self, scores: Tensor, rows: Tensor, start: Tensor, end: Tensor) -> Tensor:
        wrong = self.gold.crossed(rows, start, end)
        return torch.where(wrong, scores + self.cost[rows], scores)


@dataclass(frozen=True)
class Found:
    """The K best trees that were found of each of R documents, the best first.

    joins: ``(R, K, T - 1, 3)`` int64, in the order in which they were made: the first token of a
        constituent, the first one of its right part, and its end; -1 after the last.
    scores: ``(R, K)`` the sum over the joins; ``-inf`` where there are fewer trees.
    """

    joins: Tensor
    scores: Tensor


@torch.no_grad()
def search(
    leaves: Tensor,
    lengths: Tensor,
    compose: Compose,
    beam_size: int,
    *,
    normalised: bool = False,
    penalty: Penalty | None = None,
) -> Found:
    """Join neighbours until one tree is left. Of all hypotheses of a document with the same number
    of joins, the ``beam_size`` best stay; those that differ only in the order of joins are one.

    leaves: ``(R, T, S)``, the states of the tokens. lengths: ``(R,)`` int64.
    normalised: whether a join counts by its log-probability among those that are possible then, not
        by its score.
    """
    forests = _Forests(leaves, lengths, compose, beam_size, penalty)
    for step in range(leaves.shape[1] - 1):
        forests.join_best(step, normalised)
    return Found(
        forests.joins.view(*forests.totals.shape, *forests.joins.shape[1:]), forests.totals
    )


class _Forests:
    """Hypotheses: N = R * K forests. A tree stands in the column of its first token; one column
    more is for the end of the longest document, and the last, ``nowhere``, for what there is not.

    end: ``(N, W)`` where the tree in a column ends, which is the column of its right neighbour.
    begin: ``(N, W)`` the column of the tree that ends there.
    tree: ``(N, W)`` the row of ``pool`` with the tree's state.
    joined, scores: ``(N, W)`` the same of the tree joined with its right neighbour, and the score
        of that; ``-inf`` where there is none.
    totals: ``(R, K)``. keys: ``(N,)`` equal for equal forests.
    """

    def __init__(
        self,
        leaves: Tensor,
        lengths: Tensor,
        compose: Compose,
        beam_size: int,
        penalty: Penalty | None,
    ) -> None:
        n_docs, size, _ = leaves.shape
        self.n_docs, self.size, self.beam_size = n_docs, size, beam_size
        self.device, self.compose, self.nowhere = leaves.device, compose, size + 1
        self.lengths = lengths.repeat_interleave(beam_size)
        self.penalty = penalty
        n_rows = n_docs * beam_size
        self.rows = torch.arange(n_rows, device=self.device)
        n_steps = max(0, size - 1)
        n_states = n_docs * (size + n_steps) + 2 * n_rows * n_steps
        self.pool = leaves.new_zeros(n_states, leaves.shape[2])
        self.pool[: n_docs * size] = leaves.flatten(0, 1)
        self.filled = n_docs * size

        columns = torch.arange(size + 2, device=self.device)
        self.end = (columns + 1).clamp(max=self.nowhere).repeat(n_rows, 1)
        self.begin = (columns - 1).masked_fill(columns == 0, self.nowhere).repeat(n_rows, 1)
        self.begin[:, self.nowhere] = self.nowhere
        self.tree = torch.zeros_like(self.end)
        self.joined = torch.zeros_like(self.end)
        self.documents = (self.rows // beam_size).unsqueeze(1)  # (N, 1)
        self.tree[:, :size] = self.documents * size + columns[:size]
        self.scores = torch.full(self.end.shape, -torch.inf, device=self.device)
        self.totals = torch.full((n_docs, beam_size), -torch.inf, device=self.device)
        self.totals[:, 0] = 0.0
        self.keys = torch.zeros_like(self.rows)
        self.joins = torch.full((n_rows, n_steps, 3), -1, device=self.device)
        if n_steps:
            self._pair_leaves(leaves, lengths)

    def _pair_leaves(self, leaves: Tensor, lengths: Tensor) -> None:
        n_pairs = self.size - 1
        states, scores = self.compose(leaves[:, :-1].flatten(0, 1), leaves[:, 1:].flatten(0, 1))
        rows = self._keep(states).view(self.n_docs, n_pairs)
        start = torch.arange(n_pairs, device=self.device).expand(self.n_docs, -1)
        scores = scores.float().view(self.n_docs, n_pairs)
        if self.penalty is not None:
            documents = torch.arange(self.n_docs, device=self.device).unsqueeze(1)
            scores = self.penalty.apply(scores, documents, start, start + 2)
        scores = scores.masked_fill(start + 1 >= lengths.unsqueeze(1), -torch.inf)
        self.joined[:, :n_pairs] = rows.repeat_interleave(self.beam_size, 0)
        self.scores[:, :n_pairs] = scores.repeat_interleave(self.beam_size, 0)

    def _keep(self, states: Tensor) -> Tensor:
        """Put states into the pool. ``(n, S)`` to their rows, ``(n,)``."""
        rows = torch.arange(self.filled, self.filled + len(states), device=self.device)
        self.pool[self.filled : self.filled + len(states)] = states
        self.filled += len(states)
        return rows

    def join_best(self, step: int, normalised: bool) -> None:
        column = self._choose(step, normalised)  # (N,)
        middle = self._at(self.end, column)
        end = self._at(self.end, middle)
        left = self._at(self.begin, column)
        made = column != self.nowhere
        joins = torch.stack([column, middle, end], dim=1)
        self.joins[:, step] = joins.masked_fill(~made.unsqueeze(1), -1)
        self.keys += _key(column, end).masked_fill(~made, 0)
        self._put(self.tree, column, self._at(self.joined, column))
        self._put(self.end, column, end)
        self._put(self.begin, end, column)
        self._put(self.scores, middle, torch.full_like(self.scores[:, 0], -torch.inf))
        self._pair(torch.stack([left, column], 1), torch.stack([column, end], 1))

    def _choose(self, step: int, normalised: bool) -> Tensor:
        """Return the column to join with its right neighbour in each of the best hypotheses, which
        take the places of the old ones."""
        size, n = self.size, self.beam_size
        scores = self.scores[:, :size]
        if normalised:
            impossible = scores == -torch.inf
            scores = scores.log_softmax(1).masked_fill(impossible, -torch.inf)
        totals = (self.totals.view(-1, 1) + scores).view(self.n_docs, n * size)
        best, index = totals.sort(dim=1, descending=True, stable=True)
        best, index = best[:, : n * n], index[:, : n * n]
        if n > 1:
            best, index = self._distinct(best, index)
        joining = (step < self.lengths - 1).view(self.n_docs, n)
        best = torch.nn.functional.pad(best, (0, n - best.shape[1]), value=-torch.inf)
        index = torch.nn.functional.pad(index, (0, n - index.shape[1]))
        column = torch.where(joining & (best != -torch.inf), index % size, self.nowhere)
        if n > 1:
            old = torch.arange(n, device=self.device).expand_as(index)
            self._reorder(torch.where(joining, index // size, old))
        self.totals = torch.where(joining, best, self.totals)
        return column.flatten()

    def _distinct(self, best: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """Without forests that stand further to the left already. Each has at most K ways to come
        about, so that among K * K there are K different ones, if there are so many."""
        after = _key(torch.arange(self.size, device=self.device), self._ends())
        keys = (self.keys.unsqueeze(1) + after).view(self.n_docs, -1).gather(1, index)
        same = keys.unsqueeze(2) == keys.unsqueeze(1)  # (R, K * K, K * K)
        repeated = same.tril(-1).any(2)
        best = best.masked_fill(repeated, -torch.inf)
        best, order = best.sort(dim=1, descending=True, stable=True)
        return best[:, : self.beam_size], index.gather(1, order)[:, : self.beam_size]

    def _ends(self) -> Tensor:
        """Where each tree joined with its right neighbour would end. ``(N, T)``."""
        return self.end.gather(1, self.end[:, : self.size])

    def _reorder(self, hypotheses: Tensor) -> None:
        """``(R, K)``: which of a document's hypotheses to go on with."""
        first = torch.arange(self.n_docs, device=self.device).unsqueeze(1) * self.beam_size
        rows = (first + hypotheses).flatten()
        for name in ("end", "begin", "tree", "joined", "scores", "joins", "keys"):
            setattr(self, name, getattr(self, name).index_select(0, rows))

    def _pair(self, column: Tensor, right: Tensor) -> None:
        """Compose the trees in these columns with their right neighbours. ``(N, P)`` each."""
        real = (column != self.nowhere) & (right < self.lengths.unsqueeze(1))
        states, scores = self.compose(self._states(column), self._states(right))
        scores = scores.float().view(column.shape)
        if self.penalty is not None:
            end = self.end.gather(1, right)
            scores = self.penalty.apply(scores, self.documents, column, end)
        self.joined.scatter_(1, column, self._keep(states).view(column.shape))
        self.scores.scatter_(1, column, scores.masked_fill(~real, -torch.inf))

    def _states(self, column: Tensor) -> Tensor:
        return self.pool.index_select(0, self.tree.gather(1, column).flatten())

    def _at(self, table: Tensor, column: Tensor) -> Tensor:
        return table.gather(1, column.unsqueeze(1)).squeeze(1)

    def _put(self, table: Tensor, column: Tensor, value: Tensor) -> None:
        table.scatter_(1, column.unsqueeze(1), value.unsqueeze(1))


def _key(start: Tensor, end: Tensor) -> Tensor:
    """Return a number for a span, so that sums of them tell sets of spans apart (splitmix64's
    mixing)."""
    z = start * 0x1F123BB5 + end * 0x5DEECE66D + 0x632BE5AB
    z = (z ^ (z >> 30)) * 0x3F58476D1CE4E5B9
    z = (z ^ (z >> 27)) * 0x14D049BB133111EB
    return z ^ (z >> 31)
