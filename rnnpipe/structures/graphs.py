"""Documents as graphs of nodes with typed, directed edges, and the order in which those that have
no cycles are computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from typing_extensions import Self

from rnnpipe.errors import StructureError, expected
from rnnpipe.structures.node_order import NodeOrder, positions_of, rows_of, to_device
from rnnpipe.structures.sequences import Sequences

G = TypeVar("G", bound="Graphs")


@dataclass(frozen=True, kw_only=True)
class Graphs(Sequences, NodeOrder):
    """A batch of directed graphs. The edges of all documents stand in flat lists, by type; nodes
    are numbered through the batch, document by document.

    sources, targets: ``(E,)`` the node that each edge leaves, and the one that it leads to.
    types: ``(E,)`` the type of each edge, rising.
    n_of_type: how many edges there are of each type.
    host_edges: ``(3, E)`` sources, targets and types once more, on the host.
    """

    sources: Tensor
    targets: Tensor
    types: Tensor
    n_of_type: tuple[int, ...]
    host_edges: np.ndarray

    @classmethod
    def from_edges(
        cls,
        lengths: Sequence[int],
        edges: Sequence[ArrayLike],
        n_types: int,
        device: torch.device | str = "cpu",
    ) -> Self:
        """The structure of documents with so many nodes and these edges.

        edges: for each document ``(e, 3)``: the node that an edge leaves, the node that it leads
            to, and its type.
        n_types: how many types there are.
        RAISES: StructureError for a node or a type that there is not.
        """
        sizes = np.array(lengths, dtype=np.int64)
        flat = [np.asarray(e, dtype=np.int64).reshape(-1, 3) for e in edges]
        document = np.repeat(np.arange(len(flat)), [len(e) for e in flat])
        joined = np.concatenate([np.zeros((0, 3), dtype=np.int64), *flat])
        _require_known(joined, sizes[document], document, n_types)
        joined[:, :2] += (np.cumsum(sizes) - sizes)[document, None]
        host = joined[np.argsort(joined[:, 2], kind="stable")].T
        order = positions_of(sizes)
        arrays = [sizes, order, rows_of(order, sizes), host]
        on_device, order_there, rows, (sources, targets, types) = to_device(arrays, device)
        return cls(
            on_device,
            int(sizes.max(initial=0)),
            tuple(sizes.tolist()),
            sources=sources,
            targets=targets,
            types=types,
            n_of_type=tuple(np.bincount(host[2], minlength=n_types).tolist()),
            host_edges=host,
            order=order_there,
            rows=rows,
        )

    @cached_property
    def forward_plan(self) -> DagPlan:
        """How states are computed along the edges that lead to a later node."""
        return self._plan(self.host_edges[0] < self.host_edges[1])

    @cached_property
    def backward_plan(self) -> DagPlan:
        """How states are computed along the edges that lead to an earlier node."""
        return self._plan(self.host_edges[0] > self.host_edges[1])

    def _plan(self, chosen: np.ndarray) -> DagPlan:
        lengths = np.array(self.host_lengths, dtype=np.int64)
        edges = self.host_edges[:, chosen]
        return DagPlan.of(lengths, edges, len(self.n_of_type), self.lengths.device)


@dataclass(frozen=True, kw_only=True)
class Dags(Graphs):
    """A batch of directed graphs without cycles."""

    @cached_property
    def plan(self) -> DagPlan:
        """How states are computed along all edges. Raises StructureError if there is a cycle."""
        return self._plan(np.ones(self.host_edges.shape[1], dtype=np.bool_))


@dataclass(frozen=True)
class DagStep:
    """Nodes that are computed at once: all that they wait for has been computed by then.

    n_nodes: m, how many.
    sources: ``(e,)`` for each edge to one of them, the row of its source among the *live* states:
        those of nodes before them that this step or a later one asks for.
    targets: ``(e,)`` which of the step's nodes, from 0, each edge leads to.
    types: ``(e,)`` the type of each edge, rising.
    n_of_type: how many of them there are of each type.
    live: which of the live states, and after them of this step's, are live for the next step.
    """

    n_nodes: int
    sources: Tensor
    targets: Tensor
    types: Tensor
    n_of_type: tuple[int, ...]
    live: Tensor


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
        """lengths: of the documents. edges: ``(3, E)``, by type, nodes numbered through the batch.
        Raises StructureError if there is a cycle."""
        n = int(lengths.sum())
        sources, targets, types = edges
        heights = heights_of(n, sources, targets)
        if (heights < 0).any():
            got = f"{int((heights < 0).sum())} nodes that lead into one"
            raise StructureError(
                f"Dags: expected graphs without cycles, got {got}. Leave edges out, or choose an "
                "encoder for any graph, such as 'rnnpipe.GraphStateLSTM.v1'."
            )
        n_steps = int(heights.max(initial=0)) + 1
        step_of = n_steps - 1 - heights
        nodes = np.argsort(step_of, kind="stable")
        n_nodes = np.bincount(step_of, minlength=n_steps)
        by_step = np.lexsort((types, step_of[targets]))
        sources, targets, types = edges[:, by_step]
        n_edges = np.bincount(step_of[targets], minlength=n_steps)
        first = np.cumsum(n_nodes) - n_nodes
        place = np.empty(n, dtype=np.int64)
        place[nodes] = np.arange(n) - np.repeat(first, n_nodes)
        rows, live = _follow_live(
            np.split(nodes, np.cumsum(n_nodes)[:-1]), n_edges, sources, step_of[targets]
        )
        order = positions_of(lengths)[nodes]
        arrays = [order, rows_of(order, lengths), rows, place[targets], types, np.concatenate(live)]
        order_there, rows_there, *flat, live_there = to_device(arrays, device)
        counts = np.zeros((n_steps, n_types), dtype=np.int64)
        np.add.at(counts, (step_of[targets], types), 1)
        steps = zip(
            n_nodes.tolist(),
            *(torch.split(column, n_edges.tolist()) for column in flat),
            map(tuple, counts.tolist()),
            torch.split(live_there, [len(rows) for rows in live]),
            strict=True,
        )
        return cls(
            steps=tuple(DagStep(*step) for step in steps), order=order_there, rows=rows_there
        )


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


def _follow_live(
    nodes: Sequence[np.ndarray], n_edges: np.ndarray, sources: np.ndarray, steps: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Which states are live at each step.

    nodes: of each step. n_edges: to them. sources, steps: of each edge, step by step.
    RETURNS: ``(E,)`` the row of each source among the live states; and :attr:`DagStep.live`.
    """
    n = sum(map(len, nodes))
    last_asked = np.full(n, -1, dtype=np.int64)
    np.maximum.at(last_asked, sources, steps)
    row = np.zeros(n, dtype=np.int64)
    rows = []
    lives = []
    alive = np.zeros(0, dtype=np.int64)
    for step, (new, asked) in enumerate(
        zip(nodes, np.split(sources, np.cumsum(n_edges)[:-1]), strict=True)
    ):
        row[alive] = np.arange(len(alive))
        rows.append(row[asked])
        both = np.concatenate([alive, new])
        lives.append(np.flatnonzero(last_asked[both] > step))
        alive = both[lives[-1]]
    nothing = np.zeros(0, dtype=np.int64)
    return np.concatenate([nothing, *rows]), lives


def _require_known(
    edges: np.ndarray, lengths: np.ndarray, document: np.ndarray, n_types: int
) -> None:
    ends, types = edges[:, :2], edges[:, 2]
    wrong = (ends < 0).any(1) | (ends >= lengths[:, None]).any(1) | (types < 0) | (types >= n_types)
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        where = f"Graphs, document {int(document[i])} of the batch"
        want = f"edges between its {int(lengths[i])} nodes, of {n_types} types"
        got = edges[i].tolist()
        raise StructureError(expected(where, want, got, "It is [from, to, type], from 0."))
