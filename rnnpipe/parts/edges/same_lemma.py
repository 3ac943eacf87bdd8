"""``rnnpipe.SameLemmaEdges.v1``: links between the occurrences of a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from rnnpipe.contracts.registry import edges
from rnnpipe.contracts.types import DocEdges, DocLike
from rnnpipe.errors import StructureError, expected, opening


@edges("rnnpipe.SameLemmaEdges.v1")
def SameLemmaEdges() -> DocEdges:
    """Edges from each token to the next one with the same lemma, ``token.lemma``. Type:
    ``same lemma``."""
    return SameLemma()


@dataclass(frozen=True)
class SameLemma:
    """See :func:`SameLemmaEdges`."""

    types = ("same lemma",)

    def read(self, doc: DocLike) -> np.ndarray:
        if len(doc) and not cast(Any, doc).has_annotation("LEMMA"):
            do = "Add a lemmatizer before this component, or set lemmas in the documents."
            raise StructureError(expected(opening(doc.text), "lemmas", "no lemmas", do))
        found = []
        last: dict[int, int] = {}
        for token, lemma in enumerate(doc.to_array("LEMMA").tolist()):
            if lemma and lemma in last:
                found.append((last[lemma], token, 0))
            last[lemma] = token
        return np.array(found, dtype=np.int64).reshape(-1, 3)
