"""``rnnpipe.Pixels.v1`` and ``rnnpipe.PixelRows.v1``: the image of a document as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, nn

from rnnpipe.contracts.registry import embeddings
from rnnpipe.contracts.types import DocLike, EmbeddingBuilder, Features, Levels, PositiveInt
from rnnpipe.errors import StructureError, expected
from rnnpipe.parts.embeddings.builder import Builder
from rnnpipe.parts.structures.doc_image import called, image_of


@embeddings("rnnpipe.Pixels.v1")
def Pixels(channels: PositiveInt = 1, levels: Levels = 256) -> EmbeddingBuilder:
    """The channels of each pixel of ``doc._.image``, for structures whose nodes are pixels, such as
    ``rnnpipe.ImageGrid.v1``.

    channels: number of channels. levels: number of values of a channel, from 0 on.
    """
    return Builder(partial(PixelEmbedding, channels, levels))


@embeddings("rnnpipe.PixelRows.v1")
def PixelRows(
    columns: PositiveInt, channels: PositiveInt = 1, levels: Levels = 256
) -> EmbeddingBuilder:
    """The pixels of each row of ``doc._.image``, for ``rnnpipe.ImageRows.v1``.

    columns: number of pixels per row. channels, levels: see ``rnnpipe.Pixels.v1``.
    """
    return Builder(partial(PixelEmbedding, channels, levels, columns))


class PixelEmbedding(nn.Module):
    """``e = 2 x / (levels - 1) - 1``, with x the values from 0 to ``levels - 1`` of a pixel's
    channels, or of all pixels of a row from the left. It has no weights.

    columns: number of pixels per row; ``None``: one vector per pixel instead of per row.
    """

    lexical = False

    def __init__(self, channels: int, levels: int, columns: int | None = None) -> None:
        super().__init__()
        self.channels = channels
        self.levels = levels
        self.columns = columns
        self.n_out = channels * (columns or 1)

    @property
    def items(self) -> str:
        return "pixels" if self.columns is None else "rows"

    def initialize(self, vocab: Any) -> None:
        """Do nothing: all weights are learned."""

    def featurize(self, items: Sequence[DocLike]) -> Features:
        """Return ``pixels``, ``(N, n_out)`` uint8.

        Raises:
            StructureError: a document has no image with these channels, levels and columns.
        """
        rows = [self._read(doc).reshape(-1, self.n_out) for doc in items]
        return {"pixels": np.concatenate([np.zeros((0, self.n_out), dtype=np.uint8), *rows])}

    def _read(self, doc: DocLike) -> np.ndarray:
        pixels = image_of(doc, self.channels, self.levels)
        if self.columns not in (None, pixels.shape[1]):
            want = f"an image of {self.columns} columns"
            do = "Scale the image, or set columns."
            raise StructureError(expected(called(doc), want, pixels.shape[1], do))
        return pixels

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors, ``(N, n_out)``."""
        return features["pixels"].float() * (2 / (self.levels - 1)) - 1
