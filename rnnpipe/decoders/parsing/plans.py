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
        """joins: ``(R, T - 1, 3)`` as in :class:`~rnnpipe.decoders.parsing.search.Found`, complete
        trees. lengths: ``(R,)`` how many tokens each has."""
        tokens = np.arange(joins.shape[1] + 1)
        row, token = np.nonzero(tokens < lengths[:, None])
        made_row, made_step = np.nonzero(joins[..., 0] >= 0)
        start, middle, end = joins[made_row, made_step].T
        rows = np.concatenate([row, made_row])
        starts, ends = np.concatenate([token, start]), np.concatenate([token + 1, end])
        key = _post_order(rows, starts, ends, len(tokens))
        order = np.argsort(key)
        sorted_key = key[order]
        sizes = np.bincount(rows, minlength=len(lengths))
        first = np.cumsum(sizes) - sizes

        def place(row: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
            """Where in their tree the nodes of these spans stand."""
            number = np.searchsorted(sorted_key, _post_order(row, start, end, len(tokens)))
            return number - first[row]

        node = place(made_row, start, end)
        parents = np.full(len(key), -1, dtype=np.int64)
        for child in (place(made_row, start, middle), place(made_row, middle, end)):
            parents[first[made_row] + child] = node
        steps = np.full(joins.shape[:2], -1, dtype=np.int64)
        steps[made_row, made_step] = node
        spans = np.stack([starts, ends], axis=1)[order]
        return cls(sizes, spans, parents, rows[order], steps)

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """A value a node, tree by tree."""
        return np.split(values, np.cumsum(self.sizes)[:-1])

    def padded(self, values: np.ndarray, fill: int) -> np.ndarray:
        """A value a node, ``(N, ...)``, to ``(R, largest size, ...)``."""
        shape = (len(self.sizes), int(self.sizes.max(initial=0)), *values.shape[1:])
        table = np.full(shape, fill, dtype=values.dtype)
        table[self.rows, self.places] = values
        return table

    def position(self, rows: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Where the nodes of these spans stand in the flattened ``(R * largest size)`` nodes."""
        size = int(self.spans.max(initial=0))
        known = _post_order(self.rows, *self.spans.T, size)
        node = np.searchsorted(known, _post_order(rows, start, end, size))
        return rows * int(self.sizes.max(initial=0)) + self.places[node]

    @property
    def places(self) -> np.ndarray:
        """``(N,)`` where in its tree each node stands."""
        first = np.cumsum(self.sizes) - self.sizes
        return np.arange(len(self.rows)) - first[self.rows]

    @property
    def tokens(self) -> np.ndarray:
        """``(N,)`` the token of each leaf, -1 for what is none."""
        start, end = self.spans.T
        return np.where(end - start == 1, start, -1)

    def classes(self, gold: np.ndarray, other: int) -> np.ndarray:
        """``(N,)`` the class of each node: that of the same span in ``gold``, ``(R, M, 3)`` with
        -1 where there is none; ``other`` if it is not there; -1 in a tree without gold spans."""
        size = int(max(self.spans.max(initial=0), gold[..., :2].max(initial=0))) + 1
        row, number = np.nonzero(gold[..., 0] >= 0)
        start, end, known = gold[row, number].T
        key = _post_order(row, start, end, size)
        order = np.argsort(key)
        wanted = _post_order(self.rows, *self.spans.T, size)
        found = np.searchsorted(key[order], wanted)
        inside = np.minimum(found, max(0, len(key) - 1))
        classes = np.full(len(wanted), other, dtype=np.int64)
        if len(key):
            hit = key[order][inside] == wanted
            classes = np.where(hit, known[order][inside], other)
        annotated = np.bincount(row, minlength=len(self.sizes)) > 0
        return np.where(annotated[self.rows], classes, -1)


def _post_order(row: np.ndarray, start: np.ndarray, end: np.ndarray, size: int) -> np.ndarray:
    """Rises from row to row, in each by the end and then from the smallest span to the largest."""
    return (row * (size + 1) + end) * (size + 1) + size - start


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
