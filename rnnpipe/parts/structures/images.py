"""``rnnpipe.ImageGrid.v1``, ``rnnpipe.ImagePixels.v1`` and ``rnnpipe.ImageRows.v1``: documents as
their image. Nodes are pixels or rows of pixels, whatever words there are; each can be labelled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from rnnpipe.contracts.registry import structures
from rnnpipe.contracts.types import DocLike, DocNodes, DocStructure
from rnnpipe.parts.structures.doc_image import image_of
from rnnpipe.structures import Grids, Sequences


@structures("rnnpipe.ImageGrid.v1")
def ImageGrid() -> DocStructure:
    """The pixels of ``doc._.image`` in two dimensions, for encoders of images and the embedding
    ``rnnpipe.Pixels.v1``. Images of several sizes may stand in a corpus."""
    return PixelGrid()


@structures("rnnpipe.ImagePixels.v1")
def ImagePixels() -> DocStructure:
    """The pixels of ``doc._.image`` one after the other, row by row from the top, for sequence
    encoders and the embedding ``rnnpipe.Pixels.v1``."""
    return PixelSequence()


@structures("rnnpipe.ImageRows.v1")
def ImageRows() -> DocStructure:
    """The rows of ``doc._.image`` from the top, for sequence encoders and the embedding
    ``rnnpipe.PixelRows.v1``."""
    return RowSequence()


class PixelGrid:
    """See :func:`ImageGrid`."""

    structure: type = Grids
    spans_key = None
    n_types = 0
    items = "pixels"

    def read(self, doc: DocLike) -> DocNodes:
        """Raises StructureError if there is no image."""
        height, width, _ = image_of(doc).shape
        pixels = np.arange(height * width)
        return DocNodes(pixels, np.array([height, width]), pixels, n_items=len(pixels))

    def build(self, nodes: Sequence[DocNodes], device: torch.device) -> Sequences:
        return Grids.from_shapes([(int(n.links[0]), int(n.links[1])) for n in nodes], device)


class PixelSequence(PixelGrid):
    """See :func:`ImagePixels`."""

    structure = Sequences

    def build(self, nodes: Sequence[DocNodes], device: torch.device) -> Sequences:
        return Sequences.of([len(n.tokens) for n in nodes], device)


class RowSequence(PixelSequence):
    """See :func:`ImageRows`."""

    items = "rows"

    def read(self, doc: DocLike) -> DocNodes:
        """Raises StructureError if there is no image."""
        rows = np.arange(len(image_of(doc)))
        return DocNodes(rows, rows, rows, n_items=len(rows))
