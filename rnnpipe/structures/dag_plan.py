"""The order in which the nodes of graphs without cycles are computed, a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnnpipe.errors import StructureError
from rnnpipe.structures.node_order import NodeOrder, positions_of, rows_of, to_device


@dataclass(frozen=True)
class DagStep:
    """Nodes that are computed at once: all that they wait for has been computed by then.

    n_nodes: m, how many.
    n_of_type: how many edges of each type lead to them.
    sources: ``(e,)`` for each of these edges, the row of its source among the *live* states: those
        of nodes before them that this step or a later one asks for.
    targets: ``(e,)`` which of the step's nodes, from 0, each edge leads to.
    types: ``(e,)`` the type of each edge, rising.
    live: which of the live states, and after them of this step's, are live for the next step.
    """

    n_nodes: int
    n_of_type: tuple[int, ...]
    sources: Tensor
    targets: Tensor
    types: Tensor
    live: Tensor

    def sum_at_nodes(self, rows: Tensor) -> Tensor:
        """Add up the rows of the edges that lead to each node. ``(e, D) -> (m, D)``."""
        return rows.new_zeros(self.n_nodes, rows.shape[1]).index_add(0, self.targets, rows)


@dataclass(frozen=True, kw_only=True)
class DagPlan(NodeOrder):
    """The nodes of a batch, step by step, each as late as the nodes that wait for it allow, so that
    few states are live. A chain makes as many steps as it has nodes; a tree whose edges lead to the
    root as many as it has levels. The plan is made on the host.

    steps: in the order of computation.
    """

    steps: tuple[DagStep, ...]

    @classmethod
    def of(
        cls,
        lengths: np.ndarray,
        edges: np.ndarray,
        n_types: int,
        device: torch.device | str = "cpu",
    ) -> DagPlan:
        """lengths: of the documents. edges: ``(3, E)``: sources, targets and types, nodes numbered
        through the batch. Raises StructureError if there is a cycle."""
        n = int(lengths.sum())
        step_of = _steps_of(n, edges)
        nodes = np.argsort(step_of, kind="stable")
        edges = edges[:, np.lexsort((edges[2], step_of[edges[1]]))]
        last_asked = np.full(n, -1, dtype=np.int64)
        np.maximum.at(last_asked, edges[0], step_of[edges[1]])

        row, place = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        live = np.zeros(0, dtype=np.int64)
        sizes, arrays = [], []
        ends = np.arange(1, int(step_of.max(initial=0)) + 1)  # where each but the first step begins
        nodes_by_step = np.split(nodes, np.searchsorted(step_of[nodes], ends))
        edges_by_step = np.split(edges, np.searchsorted(step_of[edges[1]], ends), axis=1)
        for step, (new, chosen) in enumerate(zip(nodes_by_step, edges_by_step, strict=True)):
            sources, targets, types = chosen
            row[live], place[new] = np.arange(len(live)), np.arange(len(new))
            both = np.concatenate([live, new])
            kept = np.flatnonzero(last_asked[both] > step)
            live = both[kept]
            sizes.append((len(new), tuple(np.bincount(types, minlength=n_types).tolist())))
            arrays += [row[sources], place[targets], types, kept]

        order = positions_of(lengths)[nodes]
        on_device = to_device([order, rows_of(order, lengths), *arrays], device)
        steps = [DagStep(*s, *on_device[2 + 4 * i :][:4]) for i, s in enumerate(sizes)]
        return cls(steps=tuple(steps), order=on_device[0], rows=on_device[1])


def _steps_of(n: int, edges: np.ndarray) -> np.ndarray:
    """``(n,)`` the step at which each node is computed. Raises StructureError: see above."""
    heights = heights_of(n, edges[0], edges[1])
    if (heights < 0).any():
        got = f"{int((heights < 0).sum())} nodes that lead into a cycle"
        raise StructureError(
            f"Dags: expected graphs without cycles, got {got}. Remove edges, or choose an "
            f"encoder for any graph, such as 'rnnpipe.GraphStateLSTM.v1'."
        )
    steps: np.ndarray = heights.max(initial=0) - heights
    return steps


def heights_of(n: int, sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """``(n,)`` the length of the longest path that leaves each node, found by taking away, again
    and again, the nodes that no edge leaves; -1 for those that lead into a cycle."""
    by_target = np.argsort(targets, kind="stable")
    first = np.searchsorted(targets[by_target], np.arange(n + 1))
    n_leaving = np.bincount(sources, minlength=n)
    heights = np.full(n, -1, dtype=np.int64)
    free = np.flatnonzero(n_leaving == 0)
    height = 0
    while len(free):
        heights[free] = height
        height += 1
        counts = first[free + 1] - first[free]
        into = np.repeat(first[free] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        before, n_taken = np.unique(sources[by_target[into]], return_counts=True)
        n_leaving[before] -= n_taken
        free = before[n_leaving[before] == 0]
    return heights
