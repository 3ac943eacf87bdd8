"""``acme.Reversed.v1``: tokens in reverse order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rnnpipe.api import DocLike, DocNodes, DocStructure, Sequences, structures


@structures("acme.Reversed.v1")
def Reversed() -> DocStructure:
    """Node i is token ``n - 1 - i``: a one-directional encoder reads from the end, and remembers
    the beginning best (Sutskever et al. 2014, Sequence to Sequence Learning, 3.3)."""
    return ReversedTokens()


@dataclass(frozen=True)
class ReversedTokens:
    """Decoders of nodes label the tokens."""

    structure = Sequences
    spans_key = None
    n_types = 0

    def read(self, doc: DocLike) -> DocNodes:
        """tokens: of each node. labelled: the node of each token. Sequences have no links."""
        back = np.arange(len(doc), dtype=np.int64)[::-1].copy()
        return DocNodes(tokens=back, links=back, labelled=back)

    def build(self, nodes: Sequence[DocNodes], device: torch.device) -> Sequences:
        return Sequences.of([len(n.tokens) for n in nodes], device)
