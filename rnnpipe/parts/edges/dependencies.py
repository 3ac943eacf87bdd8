"""``rnnpipe.DependencyEdges.v1``: the syntactic dependencies of a document."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpipe.contracts.registry import edges
from rnnpipe.contracts.types import DocLike
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.structures.doc_annotation import heads_of


@edges("rnnpipe.DependencyEdges.v1")
@dataclass(frozen=True)
class DependencyEdges:
    """Edges from each head to its dependents.

    labels: dependency labels with an edge type of their own; all others have the type
        ``other dependency``. A label with a subtype, such as ``nsubj:pass``, falls back to its main
        label ``nsubj`` if only that is named.

    Raises:
        SettingsError: a label is named twice.
    """

    labels: list[str] | None = None

    def __post_init__(self) -> None:
        known = self.labels or []
        if twice := sorted({label for label in known if known.count(label) > 1}):
            where = "rnnpipe.DependencyEdges.v1, labels"
            raise SettingsError(
                expected(where, "each label once", twice, "Remove repeated labels.")
            )

    @property
    def types(self) -> tuple[str, ...]:
        return (*(self.labels or ()), "other dependency")

    def read(self, doc: DocLike) -> np.ndarray:
        heads = heads_of(doc)
        (dependents,) = np.nonzero(heads != np.arange(len(doc)))
        keys = doc.to_array("DEP")[dependents]
        types = {key: self._type(doc.vocab.strings[key]) for key in set(keys.tolist())}
        numbers = np.array([types[key] for key in keys.tolist()], dtype=np.int64)
        return np.stack([heads[dependents], dependents, numbers], axis=1)

    def _type(self, label: str) -> int:
        known = self.labels or []
        for name in (label, label.partition(":")[0]):
            if name in known:
                return known.index(name)
        return len(known)
