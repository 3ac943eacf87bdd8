"""``rnnpipe.SpanEnds.v1``: tokens in a row, and spans of them that are labelled where they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rnnpipe.contracts.registry import structures
from rnnpipe.contracts.types import DocLike, DocNodes
from rnnpipe.parts.structures.doc_annotation import require_tokens, spans_of
from rnnpipe.structures import Sequences


@structures("rnnpipe.SpanEnds.v1")
@dataclass(frozen=True)
class SpanEnds:
    """The tokens in a row, for any sequence encoder. Decoders of nodes label the spans of
    ``doc.spans[spans_key]``, each by the state of its last token: what a sequence encoder makes of
    the same task as a recursive one.

    spans_key: the name of the span group.
    """

    spans_key: str = "constituents"
    structure = Sequences
    n_types = 0

    def read(self, doc: DocLike) -> DocNodes:
        """Raises StructureError: no such span group, or an empty span."""
        tokens = np.arange(len(doc))
        spans = spans_of(doc, self.spans_key)
        for start, end in spans:
            require_tokens(start, end, len(doc), doc.text)
        ends = np.array([end for _, end in spans], dtype=np.int64)
        return DocNodes(tokens, tokens, ends - 1)

    def build(self, nodes: Sequence[DocNodes], device: torch.device) -> Sequences:
        return Sequences.of([len(n.tokens) for n in nodes], device)
