"""Several embeddings side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import embeddings
from rnnpipe.contracts.types import Embedding, EmbeddingBuilder, Features
from rnnpipe.errors import SettingsError, StructureError, expected


@embeddings("rnnpipe.Concat.v1")
def Concat(parts: dict[str, EmbeddingBuilder]) -> Concatenation:
    """The vectors of all parts, concatenated. The names of parts are free:
    ``[....embedding.parts.words]`` after ``[....embedding.parts]``.

    Raises:
        SettingsError: there are no parts.
    """
    if not parts:
        raise SettingsError(
            expected(
                "rnnpipe.Concat.v1, parts",
                "at least one embedding",
                "no parts",
                "Add a block such as [components.ner.model.embedding.parts.words] under it.",
            )
        )
    return Concatenation(tuple(parts.values()))


@dataclass(frozen=True)
class Concatenation:
    """A builder of several embeddings. A network handles each of ``parts()`` by itself: lexical
    ones are computed once per distinct word, others are not."""

    builders: tuple[EmbeddingBuilder, ...]
    upstream: ClassVar[Any] = None

    def parts(self) -> Sequence[EmbeddingBuilder]:
        return [part for builder in self.builders for part in builder.parts()]

    def measure(self, counts: Mapping[str, int], vocab: Any) -> dict[str, Any]:
        return {"parts": [part.measure(counts, vocab) for part in self.parts()]}

    def build(self, facts: dict[str, Any]) -> Embedding:
        """Build the embedding. Raise StructureError if only some of the parts are lexical."""
        built = [part.build(fact) for part, fact in zip(self.parts(), facts["parts"], strict=True)]
        if len({part.lexical for part in built}) > 1:
            kinds = [f"{type(part).__name__}: lexical={part.lexical}" for part in built]
            raise StructureError(
                expected(
                    "rnnpipe.Concat.v1",
                    "parts that are either all lexical or all not lexical, to build them as one "
                    "embedding",
                    ", ".join(kinds),
                    "Build each of parts() separately.",
                )
            )
        return ConcatEmbedding(built)


class ConcatEmbedding(nn.Module):
    """``e(w) = [e_1(w); ...; e_n(w)]``. The features of part i have the prefix ``i.``."""

    def __init__(self, parts: Sequence[Embedding]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(cast(nn.Module, part) for part in parts)
        self.lexical = parts[0].lexical
        self.n_out = sum(part.n_out for part in parts)

    def initialize(self, vocab: Any) -> None:
        for part in self.parts:
            cast(Any, part).initialize(vocab)

    def featurize(self, items: Any) -> Features:
        return {
            f"{i}.{name}": array
            for i, part in enumerate(self.parts)
            for name, array in cast(Any, part).featurize(items).items()
        }

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors, ``(N, n_out)``."""
        vectors = []
        for i, part in enumerate(self.parts):
            prefix = f"{i}."
            own = {k.removeprefix(prefix): x for k, x in features.items() if k.startswith(prefix)}
            vectors.append(part(own))
        return torch.cat(vectors, dim=-1)
