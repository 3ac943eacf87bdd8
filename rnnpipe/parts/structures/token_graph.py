"""``rnnpipe.TokenGraph.v1`` and ``rnnpipe.TokenDag.v1``: a document's tokens, joined by edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import torch

from rnnpipe.contracts.registry import structures
from rnnpipe.contracts.types import DocEdges, DocLike, DocNodes
from rnnpipe.errors import SettingsError, StructureError, expected, opening
from rnnpipe.structures import Dags, Graphs
from rnnpipe.structures.dag_plan import heights_of


@structures("rnnpipe.TokenGraph.v1")
@dataclass(frozen=True)
class TokenGraph:
    """Each token is a node. Decoders of nodes label the tokens.

    edges: what joins them; each block's types of edges are its own. A block's name is there for the
        config and for errors, ``[....structure.edges.next]`` after ``[....structure.edges]``.

    Raises SettingsError without edges.
    """

    edges: dict[str, DocEdges]
    structure: ClassVar[type[Graphs]] = Graphs
    spans_key: ClassVar[None] = None

    def __post_init__(self) -> None:
        if not self.edges:
            where = f"rnnpipe.{type(self).__name__}.v1, edges"
            do = "Add a block such as [components.tagger.model.structure.edges.next] under it."
            raise SettingsError(expected(where, "at least one block", "no blocks", do))

    @property
    def n_types(self) -> int:
        return sum(len(part.types) for part in self.edges.values())

    def read(self, doc: DocLike) -> DocNodes:
        """Raises StructureError for an edge to a token that there is not, or of such a type, and
        what the edges raise."""
        links = []
        n_types = 0
        for name, part in self.edges.items():
            found = part.read(doc)
            _require_known(found, name, len(part.types), doc)
            links.append(found + [0, 0, n_types])
            n_types += len(part.types)
        tokens = np.arange(len(doc))
        return DocNodes(tokens, np.concatenate(links), tokens)

    def build(self, nodes: Sequence[DocNodes], device: torch.device) -> Graphs:
        lengths, links = [len(n.tokens) for n in nodes], [n.links for n in nodes]
        return self.structure.from_edges(lengths, links, self.n_types, device)


@structures("rnnpipe.TokenDag.v1")
class TokenDag(TokenGraph):
    """The same, without cycles, which ``rnnpipe.DagLSTM.v1`` needs.

    edges: as for ``rnnpipe.TokenGraph.v1``.

    Raises SettingsError without edges.
    """

    structure = Dags

    def read(self, doc: DocLike) -> DocNodes:
        """Raises StructureError for edges in a circle as well."""
        nodes = super().read(doc)
        sources, targets = nodes.links[:, 0], nodes.links[:, 1]
        leads_in = heights_of(len(doc), sources, targets) < 0
        led_to = heights_of(len(doc), targets, sources) < 0
        if circle := [cast(Any, doc)[int(i)].text for i in np.flatnonzero(leads_in & led_to)]:
            got = f"no order of {', '.join(map(repr, circle[:5]))}, which form a cycle"
            do = "Remove edges, or use rnnpipe.TokenGraph.v1 with an encoder for any graph."
            raise StructureError(expected(opening(doc.text), "edges without a cycle", got, do))
        return nodes


def _require_known(edges: np.ndarray, name: str, n_types: int, doc: DocLike) -> None:
    """Return a plugin may have the tokens or the types wrong."""
    if edges.ndim != 2 or edges.shape[1] != 3:
        want = f"an array of shape (e, 3) from the edges {name!r}"
        raise StructureError(expected(opening(doc.text), want, edges.shape))
    limits = np.array([len(doc), len(doc), n_types])
    wrong = ((edges < 0) | (edges >= limits)).any(axis=1)
    if wrong.any():
        want = f"edges {name!r} between its {len(doc)} tokens, of {n_types} types"
        got = edges[wrong][0].tolist()
        do = "An edge is [from, to, type], each counted from 0."
        raise StructureError(expected(opening(doc.text), want, got, do))
