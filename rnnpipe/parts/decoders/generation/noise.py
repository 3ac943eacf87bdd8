"""Noise for drawing by the Gumbel trick, reproducible and independent text by text."""

from __future__ import annotations

import numpy as np

#: About how many values are drawn at once.
BLOCK = 4096


class GumbelNoise:
    """``argmax(log p + g)`` is a draw from p if every g is Gumbel noise (Gumbel 1954).

    seed, numbers: the noise of row i depends on the seed and ``numbers[i]`` alone. Without a seed
        it is new every time.
    size: V.
    """

    def __init__(self, seed: int | None, numbers: list[int], size: int) -> None:
        seeds = [
            np.random.SeedSequence(seed, spawn_key=() if seed is None else (number,))
            for number in numbers
        ]
        self._draws = [np.random.Generator(np.random.PCG64(s)) for s in seeds]
        self._size = size
        self._steps = max(1, BLOCK // size)
        self._at = self._steps

    def next(self) -> np.ndarray:
        """``(B, V)`` float32."""
        if self._at == self._steps:
            self._block, self._at = self._draw(), 0
        self._at += 1
        return self._block[:, self._at - 1]

    def keep(self, rows: np.ndarray) -> None:
        """Keep only these rows."""
        self._draws = [self._draws[i] for i in rows.tolist()]
        self._block = self._block[rows]

    def _draw(self) -> np.ndarray:
        noise = np.empty((len(self._draws), self._steps, self._size), dtype=np.float32)
        for draw, row in zip(self._draws, noise, strict=True):
            draw.standard_exponential(dtype=np.float32, out=row)
        # The logarithm of an exponential variable is Gumbel noise with its sign turned.
        np.log(np.maximum(noise, np.finfo(np.float32).tiny, out=noise), out=noise)
        return np.negative(noise, out=noise)
