"""Builders of single embeddings, and the vocabularies that they learn from training words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnpipe.contracts.types import DocStructure, Embedding, EmbeddingBuilder, items_of
from rnnpipe.errors import SettingsError, StructureError, expected

#: Training word counts and the vocab to what the data decides, as JSON.
Measure = Callable[[Mapping[str, int], Any], dict[str, Any]]


def nothing(counts: Mapping[str, int], vocab: Any) -> dict[str, Any]:
    """Return the facts of an embedding that does not depend on the data."""
    return {}


class SingleEmbedding(ABC):
    """The base class of the settings of one embedding, an
    :class:`~rnnpipe.contracts.types.EmbeddingBuilder`."""

    @property
    def upstream(self) -> Any:
        return None

    def measure(self, counts: Mapping[str, int], vocab: Any) -> dict[str, Any]:
        return nothing(counts, vocab)

    @abstractmethod
    def build(self, facts: dict[str, Any]) -> Embedding: ...

    def parts(self) -> Sequence[EmbeddingBuilder]:
        return [self]


@dataclass(frozen=True)
class Builder(SingleEmbedding):
    """An :class:`~rnnpipe.contracts.types.EmbeddingBuilder` made of two functions.

    module: the embedding's class with its settings; it is called with the facts as keyword
        arguments.
    facts: measures the data.
    upstream: the thinc layer that the embedding reads, if any.
    """

    module: Callable[..., Embedding]
    facts: Measure = nothing
    upstream: Any = None

    def measure(self, counts: Mapping[str, int], vocab: Any) -> dict[str, Any]:
        return self.facts(counts, vocab)

    def build(self, facts: dict[str, Any]) -> Embedding:
        return self.module(**facts)


def frequent(counts: Mapping[str, int], min_frequency: int, where: str) -> list[str]:
    """Return the texts that occur at least ``min_frequency`` times, the most frequent first, then
    by text. ``where``: name of the component in errors.

    Raises:
        SettingsError: no text is frequent enough.
    """
    kept = [text for text, n in counts.items() if n >= min_frequency]
    if not kept:
        raise SettingsError(
            expected(
                where,
                f"text that occurs at least min_frequency = {min_frequency} times in training",
                f"no such text, {len(counts)} distinct ones in all",
                "Lower min_frequency, or check that the training corpus is not empty.",
            )
        )
    return sorted(kept, key=lambda text: (-counts[text], text))


def has_vocabulary(facts: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether an embedding with such facts has a vocabulary of words or characters."""
    values = [value for part in facts for value in part.values()]
    return any(isinstance(value, (str, list)) and value for value in values)


def require_items(embeddings: Sequence[Embedding], doc_structure: DocStructure | None) -> None:
    """Raise StructureError unless the embeddings give vectors to the items that the nodes stand
    for."""
    wanted = items_of(doc_structure)
    for embedding in embeddings:
        if (items := items_of(embedding)) != wanted:
            good = {"pixels": "rnnpipe.Pixels.v1", "rows": "rnnpipe.PixelRows.v1"}.get(wanted)
            raise StructureError(
                f"embedding: expected an embedding of {wanted}, to fit the structure, got "
                f"{type(embedding).__name__}, an embedding of {items}. "
                + (f"Choose {good!r}." if good else "Set the matching structure.")
            )
