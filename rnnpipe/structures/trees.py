"""Documents as trees, and the order in which a whole batch of them is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from rnnpipe.errors import StructureError
from rnnpipe.structures.node_order import NodeOrder, positions_of, rows_of, to_device
from rnnpipe.structures.sequences import Sequences


@dataclass(frozen=True)
class Step:
    """The inner nodes at one depth of all trees. Their children, the *level below*, are the inner
    nodes one deeper and after them the leaves one deeper, C rows in all.

    n_nodes: m, how many inner nodes are computed in this step.
    n_leaves: how many of the level below are leaves.
    parents: ``(C,)`` which of the step's nodes, from 0, is the parent of each row below.
    children: ``(m, K)`` which row below is each node's first, second, ... child; C where there is
        none. K is the largest number of children in the batch.
    """

    n_nodes: int
    n_leaves: int
    parents: Tensor
    children: Tensor

    def slots(self, arity: int) -> Tensor:
        """``children`` with room for ``arity`` of them. ``(m, K) -> (m, arity)``."""
        missing = arity - self.children.shape[1]
        return torch.nn.functional.pad(self.children, (0, missing), value=len(self.parents))


@dataclass(frozen=True, kw_only=True)
class Trees(Sequences, NodeOrder):
    """A batch of trees, or of forests. A document's nodes are in post-order: children before their
    parent, so that the root is the last node; the nodes of a forest stand tree after tree.

    All nodes of one depth are computed at once, over the whole batch, the deepest first, so that
    the children of a step's nodes are just what the step before has computed. Leaves need no
    children and are computed before all steps. The plan is made on the host: nothing waits for the
    device.

    steps: from the deepest inner nodes to the roots.
    n_leaves: how many nodes have no children, over the batch.
    arity: K, the largest number of children.
    order: leaves, the deepest first, then the inner nodes step by step.
    """

    steps: tuple[Step, ...]
    n_leaves: int
    arity: int

    @classmethod
    def from_parents(
        cls, parents: Sequence[ArrayLike], device: torch.device | str = "cpu"
    ) -> Trees:
        """Return the structure of documents whose nodes have these parents.

        parents: for each document, in post-order, the position of each node's parent; -1 for a
            root.
        RAISES: StructureError for a parent that does not come after its child, or that there is
            not.
        """
        lengths = np.array([len(np.asarray(p)) for p in parents], dtype=np.int64)
        plan = _Plan.of(lengths, [np.asarray(p, dtype=np.int64) for p in parents])
        n_below = plan.below[1:][::-1].tolist()  # of each step
        arrays = [lengths, plan.order, plan.rows, plan.parents, plan.children]
        on_device, order, rows, above, children = to_device(arrays, device)
        n_nodes = plan.inner[:-1][::-1].tolist()
        steps = zip(
            n_nodes,
            plan.leaves[1:][::-1].tolist(),
            torch.split(above, n_below),
            torch.split(children, n_nodes),
            strict=True,
        )
        return cls(
            on_device,
            int(lengths.max(initial=0)),
            tuple(lengths.tolist()),
            steps=tuple(Step(*step) for step in steps),
            n_leaves=int(plan.leaves.sum()),
            arity=plan.children.shape[1],
            order=order,
            rows=rows,
        )


@dataclass(frozen=True)
class _Plan:
    """What :class:`Trees` and its steps hold, as arrays; one entry a depth, from the roots down, in
    ``inner``, ``leaves`` (how many nodes of that kind there are) and ``below`` (their sum)."""

    inner: np.ndarray
    leaves: np.ndarray
    below: np.ndarray
    order: np.ndarray
    rows: np.ndarray
    parents: np.ndarray
    children: np.ndarray

    @classmethod
    def of(cls, lengths: np.ndarray, parents: list[np.ndarray]) -> _Plan:
        n = int(lengths.sum())
        document = np.repeat(np.arange(len(lengths)), lengths)
        start = (np.cumsum(lengths) - lengths)[document]
        local = np.concatenate([np.zeros(0, dtype=np.int64), *parents])
        _require_post_order(local, np.arange(n) - start, lengths[document], document)
        parent = np.where(local < 0, n, local + start)  # n: none
        depth = _depths(parent)
        n_children = np.bincount(parent, minlength=n + 1)[:n]
        is_inner = n_children > 0
        order = np.lexsort((-depth, is_inner))
        row = np.empty(n, dtype=np.int64)
        row[order] = np.arange(n)

        n_levels = int(depth.max(initial=0)) + 1
        inner = np.bincount(depth[is_inner], minlength=n_levels)
        leaves = np.bincount(depth[~is_inner], minlength=n_levels)
        below = inner + leaves
        first_inner = leaves.sum() + inner.sum() - np.cumsum(inner)
        first_leaf = leaves.sum() - np.cumsum(leaves)
        # Where each node stands among those of its depth: inner nodes first.
        first = np.where(is_inner, first_inner[depth], first_leaf[depth] - inner[depth])
        place = row - first

        # The level below each step, step by step; and by node, the places of its children there.
        child = np.flatnonzero(depth)
        child = child[np.lexsort((place[child], -depth[child]))]
        children = np.repeat(below[depth[order[leaves.sum() :]] + 1, None], _most(n_children), 1)
        children[row[parent[child]] - leaves.sum(), _ranks(parent)[child]] = place[child]
        positions = positions_of(lengths)[order]
        rows = rows_of(positions, lengths)
        return cls(inner, leaves, below, positions, rows, place[parent[child]], children)


def _most(counts: np.ndarray) -> int:
    return int(counts.max(initial=0))


def _depths(parent: np.ndarray) -> np.ndarray:
    """How many nodes stand above each node, by doubling: ``above[i]`` is ``depth[i]`` nodes up, or
    n past the root. Both have one entry more, for n itself."""
    n = len(parent)
    above = np.append(parent, n)
    depth = (above != n).astype(np.int64)
    while (above != n).any():
        depth, above = depth + depth[above], above[above]
    of_nodes: np.ndarray = depth[:n]
    return of_nodes


def _ranks(parent: np.ndarray) -> np.ndarray:
    """Return whether a node is its parent's first child (0), its second (1), ..."""
    by_parent = np.argsort(parent, kind="stable")
    grouped = parent[by_parent]
    ranks = np.empty_like(parent)
    ranks[by_parent] = np.arange(len(parent)) - np.searchsorted(grouped, grouped)
    return ranks


def _require_post_order(
    parent: np.ndarray, node: np.ndarray, length: np.ndarray, document: np.ndarray
) -> None:
    wrong = (parent != -1) & ((parent <= node) | (parent >= length))
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        raise StructureError(
            f"Trees: expected each parent after its children, up to node {int(length[i]) - 1} in "
            f"document {int(document[i])} of the batch, or -1 for a root, got {int(parent[i])} as "
            f"the parent of node {int(node[i])}. List the nodes in post-order."
        )
