"""Documents for checks: structures with given numbers of nodes, and vectors for their nodes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from rnnpipe.structures import Dags, Graphs, Grids, Mentions, Sequences, Structure, Trees


class Draw(Protocol):
    """Draws the structure of a batch of documents.

    A document depends on the number of its nodes and on the seed alone, so that it is the same
    wherever it stands in a batch.
    """

    def __call__(
        self, lengths: Sequence[int], seed: int = 0, device: torch.device | str = "cpu"
    ) -> Structure: ...


D = TypeVar("D", bound=Callable[..., Any])
_DRAWS: dict[type, Draw] = {}


def draws(structure: type) -> Callable[[D], D]:
    """Decorate the function that draws documents of a structure, so that encoders that read it can
    be checked::

        @draws(Lattices)
        def lattices(lengths, seed=0, device="cpu"):
            return Lattices.from_edges([edges_of(n, seed) for n in lengths], device)
    """

    def add(draw: D) -> D:
        _DRAWS[structure] = draw
        return draw

    return add


def draw_of(structure: type) -> Draw:
    """Raises LookupError for a structure that nothing is known of."""
    if structure not in _DRAWS:
        raise LookupError(
            f"{structure.__name__}: expected a function that draws documents of this structure, "
            "got none. Register one with rnnpipe.testing.draws, or pass it as draw."
        )
    return _DRAWS[structure]


@draws(Sequences)
def sequences(
    lengths: Sequence[int], seed: int = 0, device: torch.device | str = "cpu"
) -> Sequences:
    return Sequences.of(lengths, device)


def marked_sequences(
    lengths: Sequence[int], seed: int = 0, device: torch.device | str = "cpu"
) -> Sequences:
    """With two mentions: all nodes but the last one, and all but the first."""
    structure = Sequences.of(lengths, device)
    groups = [[np.arange(max(1, n - 1))[:n], np.arange(n)[min(1, n - 1) :]] for n in lengths]
    return replace(structure, mentions=Mentions.of(groups, 2, structure.size, device))


@draws(Trees)
def trees(lengths: Sequence[int], seed: int = 0, device: torch.device | str = "cpu") -> Trees:
    """Forests in which a node has at most two children."""
    return Trees.from_parents([_parents(n, seed) for n in lengths], device)


@draws(Graphs)
def graphs(lengths: Sequence[int], seed: int = 0, device: torch.device | str = "cpu") -> Graphs:
    """With edges of one type, several between the same nodes and cycles among them."""
    return Graphs.from_edges(lengths, [_edges(n, seed, cycles=True) for n in lengths], 1, device)


@draws(Dags)
def dags(lengths: Sequence[int], seed: int = 0, device: torch.device | str = "cpu") -> Dags:
    """With edges of one type, to later nodes and to earlier ones, but without cycles."""
    return Dags.from_edges(lengths, [_edges(n, seed, cycles=False) for n in lengths], 1, device)


@draws(Grids)
def grids(lengths: Sequence[int], seed: int = 0, device: torch.device | str = "cpu") -> Grids:
    """Images of so many pixels, wide or high."""
    return Grids.from_shapes([_shape(n, seed) for n in lengths], device)


def _random(n: int, seed: int) -> random.Random:
    return random.Random(f"{n} nodes, seed {seed}")


def _shape(n: int, seed: int) -> tuple[int, int]:
    heights = [h for h in range(1, n + 1) if n % h == 0] or [0]
    height = _random(n, seed).choice(heights)
    return height, n // max(height, 1)


def _edges(n: int, seed: int, cycles: bool) -> list[tuple[int, int, int]]:
    """From, to, type. Without cycles, edges go along some order of the nodes."""
    rng = _random(n, seed)
    order = rng.sample(range(n), n)
    pairs = [sorted(rng.sample(range(n), 2)) for _ in range(2 * n)] if n > 1 else []
    turned = [pair[::-1] if cycles and rng.random() < 0.5 else pair for pair in pairs]
    return [(order[source], order[target], 0) for source, target in turned]


def _parents(n: int, seed: int) -> list[int]:
    """In post-order: a node takes none, one or two of the trees before it."""
    rng = _random(n, seed)
    parents, roots = [-1] * n, list[int]()
    for node in range(n):
        for child in roots[len(roots) - min(rng.randrange(3), len(roots)) :]:
            parents[child] = node
            roots.remove(child)
        roots.append(node)
    return parents


def vectors_of(lengths: Sequence[int], width: int, seed: int = 0) -> list[Tensor]:
    """A document's nodes, ``(n, width)`` each, from a normal distribution; no two are alike."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(n, width, generator=generator) for n in lengths]


def padded(documents: Sequence[Tensor], width: int) -> Tensor:
    """``(B, T, width)``, zeros at padding."""
    size = max((len(d) for d in documents), default=0)
    x = torch.zeros(len(documents), size, width)
    for row, document in zip(x, documents, strict=True):
        row[: len(document)] = document
    return x
