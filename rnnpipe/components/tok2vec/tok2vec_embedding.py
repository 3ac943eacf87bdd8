"""``rnnpipe.Tok2VecEmbedding.v1``: an embedding of this package inside a spaCy tok2vec."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from thinc.util import torch2xp, xp2torch
from torch import Tensor, nn

from rnnpipe.components.labelling.network import count_words
from rnnpipe.contracts.settings import checked
from rnnpipe.contracts.types import Embedding, EmbeddingBuilder, PositiveInt, Precision
from rnnpipe.errors import StructureError, expected
from rnnpipe.models.labelling.batching import distinct_words
from rnnpipe.models.labelling.network import to_device
from rnnpipe.parts.embeddings.builder import has_vocabulary
from rnnpipe.shim.torch_shim import TorchShim
from rnnpipe.shim.weights import Facts

#: One array a document, one row a token.
Vectors: TypeAlias = Sequence[Floats2d]


@checked("architectures", "rnnpipe.Tok2VecEmbedding.v1")
def Tok2VecEmbedding(
    embedding: EmbeddingBuilder,
    width: PositiveInt | None = None,
    precision: Precision = "float32",
) -> Model[Sequence[Doc], Vectors]:
    """The ``embed`` block of ``spacy.Tok2Vec.v2``, or a whole tok2vec: documents to token vectors.

    embedding: any registered embedding that neither learns a list of words or characters, since
        spaCy passes a tok2vec only ten documents before training, nor reads another tok2vec.
    width: size of the vectors, if other parts of the config refer to it; checked at initialisation.
    precision: ``"bfloat16"`` computes matrix products in bfloat16 and keeps float32 weights.

    Raises:
        StructureError: at initialisation, if the embedding is another one or has another width.
    """
    return Model(
        "rnnpipe_tok2vec_embedding",
        _forward,
        init=_initialize,
        dims={"nO": width},
        shims=[TorchShim(None, build=partial(_build, embedding), precision=precision)],
        attrs={"dropout_rate": 0.0, "embedding": embedding},
    )


class TokenVectors(nn.Module):
    """The concatenated vectors of several embeddings, one row per token."""

    def __init__(self, parts: Sequence[Embedding]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(cast(nn.Module, part) for part in parts)
        self.n_out = sum(part.n_out for part in parts)

    def initialize(self, vocab: Any) -> None:
        for part in self.parts:
            cast(Any, part).initialize(vocab)

    def forward(self, docs: Sequence[Doc], device: torch.device) -> Tensor:
        """Return the vectors of all documents, ``(N, n_out)``, in order."""
        words, _, numbers = distinct_words(docs)
        word_of = torch.from_numpy(numbers).to(device)
        vectors = []
        for module in self.parts:
            part = cast(Any, module)
            own = module(to_device(part.featurize(words if part.lexical else docs), device))
            vectors.append(own.index_select(0, word_of) if part.lexical else own)
        return torch.cat(vectors, dim=-1)


def _build(embedding: EmbeddingBuilder, facts: Facts) -> TokenVectors:
    parts = zip(embedding.parts(), facts["embeddings"], strict=True)
    return TokenVectors([part.build(part_facts) for part, part_facts in parts])


def _initialize(
    model: Model[Sequence[Doc], Vectors], X: Sequence[Doc] | None = None, Y: Any = None
) -> None:
    """Build the embedding from some documents ``X``, if they are given."""
    if X is None:
        return
    embedding = cast(EmbeddingBuilder, model.attrs["embedding"])
    facts = [part.measure(count_words(X), X[0].vocab) for part in embedding.parts()]
    if has_vocabulary(facts) or any(part.upstream is not None for part in embedding.parts()):
        want = "an embedding without a learned vocabulary and without another tok2vec"
        do = "Use rnnpipe.Hashed.v1, Vectors.v1 without finetune, or LanguageModelEmbedding.v1."
        raise StructureError(expected("model.embed.embedding", want, "another", do))
    module = _build(embedding, {"embeddings": facts})
    width = model.maybe_get_dim("nO")
    if width not in (None, module.n_out):
        do = "Leave width unset, or change the embedding."
        want = f"{module.n_out}, the width of the embedding's vectors"
        raise StructureError(expected("model.embed.width", want, width, do))
    model.set_dim("nO", module.n_out)
    module.initialize(X[0].vocab)
    cast(TorchShim, model.shims[0]).set_module(module, {"embeddings": facts})


def _forward(
    model: Model[Sequence[Doc], Vectors], docs: Sequence[Doc], is_train: bool
) -> tuple[Vectors, Callable[[Vectors], list[Any]]]:
    shim = cast(TorchShim, model.shims[0])
    rate = model.attrs["dropout_rate"]
    with shim.training(rate) if is_train else shim.evaluation() as module:
        vectors: Tensor = module(docs, shim.device).float()

    def backprop(dY: Vectors) -> list[Any]:
        if vectors.requires_grad:
            gradient = xp2torch(model.ops.xp.concatenate(list(dY)), device=vectors.device)
            torch.autograd.backward(vectors, gradient)
        return []

    rows = cast(Floats2d, torch2xp(vectors.detach()))
    ends = np.cumsum([len(doc) for doc in docs]).tolist()
    return [rows[end - len(doc) : end] for end, doc in zip(ends, docs, strict=True)], backprop
