"""Checks that the parts of a network fit each other."""

from __future__ import annotations

from rnnpipe.contracts.types import Decoder, DocStructure, Encoder, TreeDecoder
from rnnpipe.errors import StructureError
from rnnpipe.structures import Dags, Graphs, Grids, Sequences, Trees


def require_structure(encoder: Encoder, doc_structure: DocStructure | None) -> None:
    """Raise StructureError unless the encoder reads the structure of the documents."""
    given = Sequences if doc_structure is None else doc_structure.structure
    if not issubclass(given, encoder.structure):
        raise StructureError(
            f"encoder: expected an encoder that reads {given.__name__}, got "
            f"{type(encoder).__name__}, "
            f"which reads {encoder.structure.__name__}. Choose a sequence encoder such as "
            f"'rnnpipe.BiLSTM.v1', or set the network's structure{_such_as(encoder.structure)}."
        )


def _such_as(structure: type) -> str:
    """Name a registered structure of that kind, if it is one of rnnpipe's."""
    names: dict[type, str] = {
        Trees: "DependencyTree",
        Graphs: "TokenGraph",
        Dags: "TokenDag",
        Grids: "ImageGrid",
    }
    return f", for instance to 'rnnpipe.{names[structure]}.v1'" if structure in names else ""


def require_fit(decoder: Decoder, pooled: bool) -> None:
    """Raise StructureError unless the decoder labels what it gets: documents or nodes."""
    if isinstance(decoder, TreeDecoder) and not pooled:
        return
    if not (decoder.labels_documents if pooled else decoder.labels_nodes):
        wanted, other = ("documents", "nodes") if pooled else ("nodes", "documents")
        raise StructureError(
            f"decoder: expected a decoder that labels {wanted}, got {type(decoder).__name__}, "
            f"which "
            f"labels {other} only. Choose another decoder, such as 'rnnpipe.Softmax.v1', or "
            f"{'remove the pooler' if pooled else 'add a pooler'}."
        )
