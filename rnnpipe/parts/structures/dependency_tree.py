"""``rnnpipe.DependencyTree.v1``: a document's tokens under their syntactic heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch

from rnnpipe.contracts.registry import structures
from rnnpipe.contracts.types import DocLike, DocNodes, DocStructure
from rnnpipe.errors import StructureError, expected, opening
from rnnpipe.parts.structures.doc_annotation import heads_of
from rnnpipe.structures import Trees


@structures("rnnpipe.DependencyTree.v1")
def DependencyTree() -> DocStructure:
    """Each token is a node, and the child of its head, ``token.head``; a sentence is a tree.
    Decoders of nodes label the tokens."""
    return DependencyTrees()


@dataclass(frozen=True)
class DependencyTrees:
    """See :func:`DependencyTree`."""

    structure = Trees
    n_types = 0
    spans_key = None

    def read(self, doc: DocLike) -> DocNodes:
        """Raises StructureError: no dependency parse, or heads in a circle."""
        heads = heads_of(doc)
        order = _post_order(heads)
        if len(order) < len(doc):
            stray = [cast(Any, doc)[i].text for i in sorted(set(range(len(doc))) - set(order))]
            do = "The heads of each token must lead to a root, which is its own head."
            want = "heads that form a tree"
            got = f"no root above {', '.join(map(repr, stray[:5]))}, whose heads form a cycle"
            raise StructureError(expected(opening(doc.text), want, got, do))
        tokens = np.array(order, dtype=np.int64)
        node_of = np.empty_like(tokens)
        node_of[tokens] = np.arange(len(tokens))
        above = heads[tokens]
        return DocNodes(tokens, np.where(above == tokens, -1, node_of[above]), node_of)

    def build(self, nodes: Sequence[DocNodes], device: torch.device) -> Trees:
        return Trees.from_parents([n.links for n in nodes], device)


def _post_order(heads: np.ndarray) -> list[int]:
    """Return the tokens from the leaves to the roots, without those that no root is above."""
    dependents: list[list[int]] = [[] for _ in heads]
    stack: list[int] = []
    for token, head in enumerate(heads.tolist()):
        (stack if head == token else dependents[head]).append(token)
    backwards = []  # each root before its dependents, the last ones first
    while stack:
        backwards.append(stack.pop())
        stack.extend(dependents[backwards[-1]])
    return backwards[::-1]
