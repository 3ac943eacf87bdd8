"""Documents as graphs of nodes with typed, directed edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from rnnpipe.errors import StructureError, expected
from rnnpipe.structures.dag_plan import DagPlan
from rnnpipe.structures.node_order import NodeOrder, positions_of, rows_of, to_device
from rnnpipe.structures.sequences import Sequences

if TYPE_CHECKING:
    from typing_extensions import Self

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
        """Return the structure of documents with so many nodes and these edges.

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
        raise StructureError(
            expected(where, want, got, "An edge is [from, to, type], each counted from 0.")
        )
