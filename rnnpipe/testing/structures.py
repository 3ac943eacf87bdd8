"""What every way of reading documents as structures promises."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import torch

from rnnpipe.contracts.registry import structures
from rnnpipe.contracts.types import DocNodes, DocStructure, items_of
from rnnpipe.testing.documents import ReaderCase, indices
from rnnpipe.testing.promises import Kind, require, require_equal, require_shape, trying

STRUCTURE = Kind("structure", structures, DocStructure, ReaderCase)


@STRUCTURE.promise("Each token (or other item) of a document is a node; other nodes are -1.")
def nodes(case: ReaderCase) -> None:
    def check(doc: Any, n: int) -> None:
        read = case.builder.read(doc)
        count = len(doc) if read.n_items is None else read.n_items
        require(count == n, f"n_items: expected {n}, got {count}.")
        found = set(indices(read.tokens, "tokens").tolist()) - {-1}
        strange, missing = sorted(found - set(range(n))), sorted(set(range(n)) - found)
        items = items_of(case.builder)
        require(not strange, f"tokens: expected some of the {n} {items} or -1, got {strange}.")
        require(not missing, f"tokens: expected all of the {n} {items}, got none of {missing}.")

    case.each(check)


@STRUCTURE.promise("Each token (or other item), or each span of a group, has a node to label.")
def labels(case: ReaderCase) -> None:
    key = case.builder.spans_key

    def check(doc: Any, n: int) -> None:
        read = case.builder.read(doc)
        labelled = indices(read.labelled, "labelled")
        wanted = n if key is None else len(doc.spans.get(key, ()))
        require(len(labelled) == wanted, f"labelled: expected {wanted}, got {len(labelled)}.")
        size = len(read.tokens)
        strange = labelled[(labelled < 0) | (labelled >= size)].tolist()
        require(not strange, f"labelled: expected some of the {size} nodes, got {strange}.")
        if key is None:
            tokens = indices(read.tokens, "tokens")[labelled]
            require_equal(tokens, torch.arange(n), "labelled tokens")

    case.each(check)


def _batches(case: ReaderCase) -> list[list[int]]:
    """None, each length alone, and all of them, the longest first and last."""
    lengths = sorted(case.lengths)
    return [[], *([n] for n in lengths), [lengths[-1], *lengths]]


def _read(case: ReaderCase, lengths: list[int]) -> list[DocNodes]:
    return [case.builder.read(case.document(n)) for n in lengths]


@STRUCTURE.promise("Several documents make a structure of its class, with their nodes.")
def batch(case: ReaderCase) -> None:
    for lengths in _batches(case):
        with trying(f"lengths = {lengths}"):
            read = _read(case, lengths)
            structure = case.builder.build(read, torch.device("cpu"))
            want, got = case.builder.structure, type(structure)
            is_one = isinstance(structure, want)
            require(is_one, f"structure: expected {want.__name__}, got {got.__name__}.")
            sizes = tuple(len(each.tokens) for each in read)
            hosted = structure.host_lengths
            require(hosted == sizes, f"host_lengths: expected {sizes}, got {hosted}.")
            on_device = tuple(structure.lengths.tolist())
            require(on_device == sizes, f"lengths: expected {sizes}, got {on_device}.")


@STRUCTURE.promise("It is built on the device that it is to be on.")
def meta(case: ReaderCase) -> None:
    for lengths in _batches(case):
        with trying(f"lengths = {lengths}, on the device 'meta'"):
            read = _read(case, lengths)
            there = case.builder.build(read, torch.device("meta")).mask
            here = case.builder.build(read, torch.device("cpu")).mask
            require(there.is_meta, f"mask: expected the device 'meta', got '{there.device}'.")
            require_shape(there, tuple(here.shape), "mask")


@STRUCTURE.promise("A pickle reads the same.")
def copies(case: ReaderCase) -> None:
    again = pickle.loads(pickle.dumps(case.builder))

    def check(doc: Any, n: int) -> None:
        ours, theirs = case.builder.read(doc), again.read(doc)
        for what in ("tokens", "links", "labelled"):
            same = np.array_equal(getattr(theirs, what), getattr(ours, what))
            require(same, f"{what} of a pickle: expected the same values, got others.")

    case.each(check)
