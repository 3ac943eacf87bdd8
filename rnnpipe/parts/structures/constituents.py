"""``rnnpipe.Constituents.v1``: the constituents of a document, which are spans of a span group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rnnpipe.contracts.registry import structures
from rnnpipe.contracts.types import DocLike, DocNodes
from rnnpipe.errors import StructureError, expected, opening
from rnnpipe.parts.structures.doc_annotation import require_tokens, spans_of
from rnnpipe.structures import Trees


@structures("rnnpipe.Constituents.v1")
@dataclass(frozen=True)
class Constituents:
    """The nested spans of ``doc.spans[spans_key]`` as trees over the tokens.

    A token is a leaf; the innermost span of one token is that leaf. Of spans that cover the same
    tokens, the first in the group is the innermost. A document may be a forest: what no span joins
    is a tree by itself. Decoders of nodes label the spans; their labels are not read here.

    spans_key: the name of the span group.
    """

    spans_key: str = "constituents"
    structure = Trees
    n_types = 0

    def read(self, doc: DocLike) -> DocNodes:
        """Raises StructureError: no such span group, an empty span, or spans that overlap."""
        return join_spans(len(doc), spans_of(doc, self.spans_key), doc.text)

    def build(self, nodes: Sequence[DocNodes], device: torch.device) -> Trees:
        return Trees.from_parents([n.links for n in nodes], device)


def join_spans(n_tokens: int, spans: Sequence[tuple[int, int]], text: str) -> DocNodes:
    """The trees that nested spans make of a document's tokens, from left to right with a stack of
    the trees that are not yet part of a larger one. Raises StructureError: see above."""
    ending: list[list[int]] = [[] for _ in range(n_tokens + 1)]
    for number in sorted(range(len(spans)), key=lambda i: -spans[i][0]):  # stable: inner first
        start, end = spans[number]
        require_tokens(start, end, n_tokens, text)
        ending[end].append(number)
    tokens: list[int] = []
    parents: list[int] = []
    labelled = [0] * len(spans)
    stack: list[tuple[int, int]] = []  # the first token and the root of each tree so far
    for token in range(n_tokens):
        stack.append((token, len(tokens)))
        tokens.append(token)
        parents.append(-1)
        leaf_is_free = True
        for number in ending[token + 1]:
            start = spans[number][0]
            if start == token and leaf_is_free:
                labelled[number] = len(tokens) - 1
                leaf_is_free = False
                continue
            node = labelled[number] = len(tokens)
            tokens.append(-1)
            parents.append(-1)
            while stack and stack[-1][0] >= start:
                first, child = stack.pop()
                parents[child] = node
            if first != start:
                _refuse_overlap(spans, number, text)
            stack.append((start, node))
    return _nodes(tokens, parents, labelled)


def _refuse_overlap(spans: Sequence[tuple[int, int]], number: int, text: str) -> None:
    start, end = spans[number]
    other = next(list(s) for s in spans if s[0] < start < s[1] < end)
    want = f"nested or disjoint constituents, relative to tokens {other}"
    do = "Two constituents must be disjoint, or one must contain the other."
    raise StructureError(expected(opening(text), want, [start, end], do))


def _nodes(tokens: list[int], parents: list[int], labelled: list[int]) -> DocNodes:
    return DocNodes(
        np.array(tokens, dtype=np.int64),
        np.array(parents, dtype=np.int64),
        np.array(labelled, dtype=np.int64),
    )
