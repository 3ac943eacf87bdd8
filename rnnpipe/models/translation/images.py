"""The image of a document as the source of a text: its rows or pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from rnnpipe.contracts.types import DocLike, DocNodes, DocStructure, Embedding, EmbeddingBuilder
from rnnpipe.parts.embeddings.builder import require_items
from rnnpipe.structures import Structure


@dataclass(frozen=True)
class Sight:
    """A document and its structure. Its length is the number of its nodes."""

    doc: DocLike
    nodes: DocNodes

    def __len__(self) -> int:
        return len(self.nodes.tokens)


@dataclass(frozen=True)
class ImageSource:
    """Builds the reader of images: the counterpart of a
    :class:`rnnpipe.contracts.types.SymbolsBuilder`.

    structure: nodes of an image. embedding: their vectors.
    """

    structure: DocStructure
    embedding: EmbeddingBuilder

    def measure(self, docs: Iterable[DocLike]) -> dict[str, Any]:
        """Return no facts: nothing depends on the documents."""
        return {}

    def build(self, facts: Mapping[str, Any]) -> ImageReader:
        return ImageReader(self.structure, self.embedding.build({}))


class ImageReader(nn.Module):
    """A reader of documents that returns vectors of the nodes of their images.

    Raises:
        StructureError: the embedding does not accept these nodes.
    """

    def __init__(self, structure: DocStructure, embedding: Embedding) -> None:
        super().__init__()
        require_items([embedding], structure)
        self.structure = structure
        self.embedding = cast(nn.Module, embedding)
        self.n_out = embedding.n_out

    def read(self, doc: DocLike) -> Sight:
        """Read an image; raise StructureError if the document has none."""
        return Sight(doc, self.structure.read(doc))

    def pieces(self, doc: DocLike) -> list[str]:
        """Return the names of the nodes: ``"row 0"``, ``"row 1"``, ..., or pixels."""
        kind = str(cast(Any, self.structure).items).removesuffix("s")
        return [f"{kind} {i}" for i in range(len(self.read(doc)))]

    def forward(self, sources: Sequence[Sight], device: torch.device) -> tuple[Tensor, Structure]:
        """Return ``(B, S, n_out)``, zeros at padding, and the structure.

        Raises:
            StructureError: the embedding does not accept an image.
        """
        features = cast(Embedding, self.embedding).featurize([source.doc for source in sources])
        on_device = {name: torch.from_numpy(a).to(device) for name, a in features.items()}
        vectors = self.embedding(on_device)  # (N, n_out)
        parts = torch.split(vectors, [len(source) for source in sources])
        structure = self.structure.build([source.nodes for source in sources], device)
        return nn.utils.rnn.pad_sequence(list(parts), batch_first=True), structure
