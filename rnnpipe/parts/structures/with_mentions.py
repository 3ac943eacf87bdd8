"""``rnnpipe.WithMentions.v1``: any structure, with marked mentions for the pooler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from rnnpipe.contracts.registry import structures
from rnnpipe.contracts.types import DocLike, DocNodes, DocStructure, PositiveInt
from rnnpipe.parts.structures.doc_annotation import mentions_of
from rnnpipe.structures import Mentions, Sequences, Structure


@structures("rnnpipe.WithMentions.v1")
def WithMentions(
    inner: DocStructure | None = None, spans_key: str = "mentions", count: PositiveInt = 2
) -> DocStructure:
    """Another structure whose nodes know which mention they are part of, for
    ``rnnpipe.Mentions.v1``. Any encoder that reads the other one reads it.

    inner: the other structure; unset, the tokens in a row, never cut into windows.
    spans_key: the mentions are the spans of ``doc.spans[spans_key]``, in the order of the group.
    count: how many there are in every document.
    """
    return Marked(TokenRows() if inner is None else inner, spans_key, count)


@dataclass(frozen=True)
class TokenRows:
    """The tokens in a row."""

    structure = Sequences
    n_types = 0
    spans_key = None

    def read(self, doc: DocLike) -> DocNodes:
        tokens = np.arange(len(doc))
        return DocNodes(tokens, tokens[:0], tokens)

    def build(self, nodes: Sequence[DocNodes], device: torch.device) -> Sequences:
        return Sequences.of([len(n.tokens) for n in nodes], device)


@dataclass(frozen=True)
class Marked:
    """See :func:`WithMentions`."""

    inner: DocStructure
    mentions_key: str
    count: int

    @property
    def structure(self) -> type:
        return self.inner.structure

    @property
    def spans_key(self) -> str | None:
        return self.inner.spans_key

    @property
    def n_types(self) -> int:
        return self.inner.n_types

    def read(self, doc: DocLike) -> DocNodes:
        """Raises StructureError: no such span group, another number of spans, an empty one, and
        what the inner structure raises."""
        nodes = self.inner.read(doc)
        spans = mentions_of(doc, self.mentions_key, self.count) or [(0, 0)] * self.count
        inside = [(start <= nodes.tokens) & (nodes.tokens < end) for start, end in spans]
        return replace(nodes, mentions=tuple(np.flatnonzero(node) for node in inside))

    def build(self, nodes: Sequence[DocNodes], device: torch.device) -> Structure:
        structure = self.inner.build(nodes, device)
        mentions = Mentions.of([n.mentions for n in nodes], self.count, structure.size, device)
        return replace(structure, mentions=mentions)
