"""Word vectors from hashed subword attributes: every word has one, without a vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.contracts.registry import embeddings
from rnnpipe.contracts.types import Features, NonNegativeInt, PositiveInt, Words
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.embeddings.builder import SingleEmbedding

#: The attributes that can be hashed; the position is the attribute's seed.
ATTRIBUTES = ("norm", "prefix", "suffix", "shape")
#: How many rows of a table are summed to one vector.
N_HASHES = 4


@embeddings("rnnpipe.Hashed.v1")
@dataclass(frozen=True)
class Hashed(SingleEmbedding):
    """Vectors of a word's norm, prefix, suffix and shape, mixed into one.

    norm, prefix, suffix, shape: number of rows in the table of the attribute; 0 leaves it out.
    pieces: number of linear maps that Maxout mixes. 1 is a single linear map, which takes half the
        time of 3 and is slightly less accurate.

    Raises:
        SettingsError: all attributes are left out.
    """

    width: PositiveInt = 96
    norm: NonNegativeInt = 5000
    prefix: NonNegativeInt = 1000
    suffix: NonNegativeInt = 2500
    shape: NonNegativeInt = 2500
    pieces: PositiveInt = 3

    def __post_init__(self) -> None:
        if not any(getattr(self, name) for name in ATTRIBUTES):
            raise SettingsError(
                expected(
                    "rnnpipe.Hashed.v1",
                    "rows for at least one of norm, prefix, suffix and shape",
                    "no rows for any",
                    "Set norm to 1000 or more.",
                )
            )

    def build(self, facts: dict[str, Any]) -> HashedEmbedding:
        return HashedEmbedding(self)


def hash_rows(keys: np.ndarray, seed: int, n_rows: int) -> np.ndarray:
    """Return ``N_HASHES`` rows of a table for each key: ``(K,)`` uint64 -> ``(K, N_HASHES)`` int64.

    The hash is the output function of SplitMix64 (Steele, Lea and Flood 2014) on
    ``key + golden * i`` with a different ``i`` for each hash and seed.
    """
    golden, first, second = (
        np.uint64(0x9E3779B97F4A7C15),
        np.uint64(0xBF58476D1CE4E5B9),
        np.uint64(0x94D049BB133111EB),
    )
    streams = np.arange(seed * N_HASHES + 1, (seed + 1) * N_HASHES + 1, dtype=np.uint64)
    x = keys[:, None] + streams * golden  # (K, N_HASHES), modulo 2^64
    x = (x ^ (x >> np.uint64(30))) * first
    x = (x ^ (x >> np.uint64(27))) * second
    x ^= x >> np.uint64(31)
    rows: np.ndarray = (x % np.uint64(n_rows)).astype(np.int64)
    return rows


class HashedEmbedding(nn.Module):
    """``e(w) = LayerNorm(max_p(b_p + sum_a W_ap t_a(w)))`` over attributes a and Maxout pieces p,
    where ``t_a(w)`` is the sum of the rows that the attribute's hashes choose in its table (a Bloom
    embedding, Serra and Karatzoglou 2017; Maxout: Goodfellow et al. 2013).

    Many words of a batch share a prefix or shape, so each distinct attribute value is looked up and
    multiplied once; a word then adds up four vectors.
    """

    lexical = True

    def __init__(self, settings: Hashed) -> None:
        super().__init__()
        self.n_out = width = settings.width
        self.pieces = pieces = settings.pieces
        self.rows = {name: n for name in ATTRIBUTES if (n := getattr(settings, name))}
        self.tables = nn.ParameterDict(
            {name: torch.empty(n, width).uniform_(-0.1, 0.1) for name, n in self.rows.items()}
        )
        self.mix = nn.Linear(width * len(self.rows), pieces * width)
        self.norm = nn.LayerNorm(width)

    def initialize(self, vocab: Any) -> None:
        """Do nothing: all weights are learned."""

    def featurize(self, items: Words) -> Features:
        """Return, by attribute name, the table rows of its distinct values, ``(K_a, N_HASHES)``
        int64, and ``places``, ``(U, A)`` int64, the indices of each word's values in all of them,
        concatenated."""
        features, places, start = {}, [], 0
        for name, n_rows in self.rows.items():
            values, place = np.unique(getattr(items, name), return_inverse=True)
            features[name] = hash_rows(values, ATTRIBUTES.index(name), n_rows)
            places.append(place + start)
            start += len(values)
        return {**features, "places": np.stack(places, axis=1)}

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors, ``(U, width)``."""
        weights = torch.split(self.mix.weight, self.n_out, dim=1)  # A of (P * W, W)
        mixed = torch.cat(
            [
                F.linear(F.embedding_bag(features[name], self.tables[name], mode="sum"), weight)
                for name, weight in zip(self.rows, weights, strict=True)
            ]
        )  # (sum of K_a, P * W)
        x = F.embedding_bag(features["places"], mixed, mode="sum") + self.mix.bias  # (U, P * W)
        if self.pieces > 1:
            x = x.view(-1, self.pieces, self.n_out).amax(1)  # (U, W)
        output: Tensor = self.norm(x)
        return output
