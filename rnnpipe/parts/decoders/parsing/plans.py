"""What was found by a search, on the host: trees to be computed by level, and pairs to be compared.

Each function works on a whole batch, in numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class BinaryTrees:
    """The nodes of R binary trees, one tree's after the other's, each in post-order.

    sizes: ``(R,)`` how many nodes a tree has: two a token less one.
    spans: ``(N, 2)`` first token and end of each node.
    parents: ``(N,)`` where in its tree a node's parent stands; -1 for the root.
    rows: ``(N,)`` the tree of each node.
    joins: ``(R, T - 1)`` where in its tree the node of each join stands, in the order of the joins;
        -1 after the last.
    """

    sizes: np.ndarray
    spans: np.ndarray
    parents: np.ndarray
    rows: np.ndarray
    joins: np.ndarray

    @classmethod
    def of(cls, joins: np.ndarray, lengths: np.ndarray) -> BinaryTrees:
        """joins: ``(R, T - 1, 3)`` as in :class:`~rnnpipe.parts.decoders.parsing.search.Found`,
        complete trees. lengths: ``(R,)`` how many tokens each has."""
        size = joins.shape[1] + 1
        row, token = np.nonzero(np.arange(size) < lengths[:, None])
        made_row, made_step = np.nonzero(joins[..., 0] >= 0)
        made = joins[made_row, made_step]  # (J, 3)
        rows = np.concatenate([row, made_row])
        spans = np.concatenate([np.stack([token, token + 1], axis=1), made[:, [0, 2]]])
        order = np.argsort(_post_order(rows, spans, size))
        rows, spans = rows[order], spans[order]
        keys, sizes = _post_order(rows, spans, size), np.bincount(rows, minlength=len(lengths))
        first = (np.cumsum(sizes) - sizes)[made_row]

        def node(columns: list[int]) -> np.ndarray:
            """Return the nodes of the joins, or those of their parts."""
            return np.searchsorted(keys, _post_order(made_row, made[:, columns], size))

        parents = np.full(len(rows), -1, dtype=np.int64)
        for part in ([0, 1], [1, 2]):
            parents[node(part)] = node([0, 2]) - first
        steps = np.full(joins.shape[:2], -1, dtype=np.int64)
        steps[made_row, made_step] = node([0, 2]) - first
        return cls(sizes, spans, parents, rows, steps)

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Return a value a node, tree by tree."""
        return np.split(values, np.cumsum(self.sizes)[:-1])

    def padded(self, values: np.ndarray, fill: int) -> np.ndarray:
        """Return a value a node, ``(N, ...)``, to ``(R, largest size, ...)``."""
        shape = (len(self.sizes), int(self.sizes.max(initial=0)), *values.shape[1:])
        table = np.full(shape, fill, dtype=values.dtype)
        table[self.rows, self.places] = values
        return table

    def position(self, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Where nodes stand in the flattened ``(R * largest size)`` nodes: of the trees ``rows``
        those of ``spans``. ``(n,)`` and ``(n, 2)`` to ``(n,)``."""
        size = int(self.spans.max(initial=0))
        wanted = _post_order(rows, spans, size)
        node = np.searchsorted(_post_order(self.rows, self.spans, size), wanted)
        # Trees that were built on NaN may lack a node; that their loss is NaN is reported later.
        node = np.minimum(node, len(self.rows) - 1)
        flat: np.ndarray = rows * int(self.sizes.max(initial=0)) + self.places[node]
        return flat

    def classes(self, rows: np.ndarray, gold: np.ndarray) -> np.ndarray:
        """``(R, largest size)``: the class of each node of ``gold``, ``(n, 3)`` first token, end
        and class, in the trees ``rows``; 0 of all others, -1 at padding."""
        table = self.padded(np.zeros(len(self.rows), dtype=np.int64), -1)
        table.reshape(-1)[self.position(rows, gold[:, :2])] = gold[:, 2]
        return table

    @property
    def places(self) -> np.ndarray:
        """``(N,)`` where in its tree each node stands."""
        first = np.cumsum(self.sizes) - self.sizes
        places: np.ndarray = np.arange(len(self.rows)) - first[self.rows]
        return places

    @property
    def tokens(self) -> np.ndarray:
        """``(N,)`` the token of each leaf, -1 for what is none."""
        start, end = self.spans.T
        return np.where(end - start == 1, start, -1)


def _post_order(rows: np.ndarray, spans: np.ndarray, size: int) -> np.ndarray:
    """Rises from row to row, in each by the end and then from the smallest span to the largest."""
    start, end = spans[:, 0], spans[:, 1]
    key: np.ndarray = (rows * (size + 1) + end) * (size + 1) + size - start
    return key


@dataclass(frozen=True)
class Choices:
    """The pairs of neighbours that were to choose from when trees were built.

    rows: ``(P,)`` whose tree it is.
    spans: ``(P, 3)`` first token of the left part, first one of the right part, and its end.
    table: ``(A, T - 1)`` for each join, the pairs that were possible, by their numbers; P where
        there is no more.
    """

    rows: np.ndarray
    spans: np.ndarray
    table: np.ndarray

    @classmethod
    def of(cls, joins: np.ndarray, lengths: np.ndarray) -> Choices:
        """Of the trees of :meth:`BinaryTrees.of`, whose joins are made again."""
        n_rows, n_steps, _ = joins.shape
        rows, nowhere = np.arange(n_rows), n_steps + 2
        columns = np.arange(n_steps + 3)
        end = np.tile(np.minimum(columns + 1, nowhere), (n_rows, 1))
        begin = np.tile(np.where(columns == 0, nowhere, columns - 1), (n_rows, 1))
        begin[:, nowhere] = nowhere
        row, column = np.nonzero(columns[1 : n_steps + 1] < lengths[:, None])
        pairs = [np.stack([row, column, column + 1, column + 2], axis=1)]
        number = np.full(end.shape, -1, dtype=np.int64)
        number[row, column] = np.arange(len(row))
        n_pairs, table = len(row), []
        for step in range(n_steps):
            active = joins[:, step, 0] >= 0
            table.append(number[active, :n_steps])
            start, middle, after = np.where(active[:, None], joins[:, step], nowhere).T
            left = begin[rows, start]
            end[rows, start], begin[rows, after] = after, start
            number[rows, middle] = -1
            for first, second in ((left, start), (start, after)):
                real = np.flatnonzero((first != nowhere) & (second < lengths))
                ends = end[real, second[real]]
                pairs.append(np.stack([real, first[real], second[real], ends], axis=1))
                number[rows, first] = -1
                number[real, first[real]] = n_pairs + np.arange(len(real))
                n_pairs += len(real)
        joined = np.concatenate([*table, np.zeros((0, n_steps), dtype=np.int64)])
        found = np.concatenate(pairs)
        return cls(found[:, 0], found[:, 1:], np.where(joined < 0, n_pairs, joined))
