"""Token vectors from a thinc layer: spaCy's shared tok2vec, a transformer, or one of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from rnnpipe.contracts.registry import embeddings
from rnnpipe.contracts.types import Features, PositiveInt
from rnnpipe.errors import StructureError, expected
from rnnpipe.parts.embeddings.builder import SingleEmbedding


@embeddings("rnnpipe.Tok2Vec.v1")
@dataclass(frozen=True)
class Tok2Vec(SingleEmbedding):
    """The output of a thinc layer, such as ``spacy.Tok2VecListener.v1``. Gradients flow back into
    it.

    tok2vec: a layer from documents to one array of token vectors per document.
    width: size to which a learned linear map projects the vectors; by default they stay as they
        are.
    """

    tok2vec: Any
    width: PositiveInt | None = None

    @property
    def upstream(self) -> Any:
        return self.tok2vec

    def measure(self, counts: Mapping[str, int], vocab: Any) -> dict[str, Any]:
        """Return ``n_in``, the width of the layer, which must be initialised.

        Raises:
            StructureError: the layer does not know its width.
        """
        if not self.tok2vec.has_dim("nO"):
            raise StructureError(
                expected(
                    "rnnpipe.Tok2Vec.v1, tok2vec",
                    "a layer whose output width (dimension 'nO') is known once it is initialised",
                    f"{self.tok2vec.name} without one",
                    "Set the layer's width in the config.",
                )
            )
        return {"n_in": self.tok2vec.get_dim("nO")}

    def build(self, facts: dict[str, Any]) -> Tok2VecEmbedding:
        return Tok2VecEmbedding(self.width, **facts)


class Tok2VecEmbedding(nn.Module):
    """``e(t) = P x(t)``, with x the layer's vector of token t and P a learned linear map, or the
    identity. The network runs the layer and passes its output on."""

    lexical = False

    def __init__(self, width: int | None, n_in: int) -> None:
        super().__init__()
        self.n_out = width or n_in
        self.project = nn.Linear(n_in, width) if width else nn.Identity()

    def initialize(self, vocab: Any) -> None:
        """Do nothing: the layer is initialised by its owner."""

    def featurize(self, items: Any) -> Features:
        """Return no features: ``upstream``, ``(N, n_in)``, comes from the layer."""
        return {}

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors, ``(N, n_out)``."""
        output: Tensor = self.project(features["upstream"])
        return output
