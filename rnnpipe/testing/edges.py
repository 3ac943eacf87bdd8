"""What every way of joining the tokens of a document promises."""

from __future__ import annotations

import pickle
from typing import Any

import torch
from torch import Tensor

from rnnpipe.contracts.registry import edges
from rnnpipe.contracts.types import DocEdges
from rnnpipe.testing.documents import ReaderCase, indices
from rnnpipe.testing.promises import Kind, require, require_equal

EDGE = Kind("edge", edges, DocEdges, ReaderCase)


def _read(builder: DocEdges, doc: Any) -> Tensor:
    return indices(builder.read(doc), "edges")


@EDGE.promise("Its types have names, one at least, and no two the same.")
def types(case: ReaderCase) -> None:
    names = list(case.builder.types)
    different = len(set(names)) == len(names) > 0
    require(different, f"types: expected one name or more, all different, got {names}.")


@EDGE.promise("Edges join tokens of the document, and are of its types.")
def tokens(case: ReaderCase) -> None:
    def check(doc: Any, n: int) -> None:
        found, limits = _read(case.builder, doc), [n, n, len(case.builder.types)]
        shape = tuple(found.shape)
        require(shape[1:] == (3,), f"edges: expected the shape (e, 3), got {shape}.")
        wrong = found[((found < 0) | (found >= torch.tensor(limits))).any(1)].tolist()
        require(not wrong, f"[from, to, type]: expected 0 up to below {limits}, got {wrong[:1]}.")

    case.each(check)


@EDGE.promise("Of n tokens that each lead to the next, there are n - 1 edges or more.")
def joined(case: ReaderCase) -> None:
    def check(doc: Any, n: int) -> None:
        # Documents of somebody else's making need not join every token to the next.
        fewest = n - 1 if case.docs is None else min(n - 1, 1)
        got = len(_read(case.builder, doc))
        do = "If documents need other annotation for it, pass docs."
        require(got >= fewest, f"edges: expected {fewest} or more, got {got}. {do}")

    case.each(check)


@EDGE.promise("A pickle reads the same.")
def copies(case: ReaderCase) -> None:
    again = pickle.loads(pickle.dumps(case.builder))
    names, others = list(case.builder.types), list(again.types)
    require(others == names, f"types of a pickle: expected {names}, got {others}.")

    def check(doc: Any, n: int) -> None:
        require_equal(_read(again, doc), _read(case.builder, doc), "edges of a pickle")

    case.each(check)
