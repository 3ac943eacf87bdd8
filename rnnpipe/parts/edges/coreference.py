"""``rnnpipe.CoreferenceEdges.v1``: links between coreferent mentions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from rnnpipe.contracts.registry import edges
from rnnpipe.contracts.types import DocLike
from rnnpipe.parts.structures.doc_annotation import require_tokens, spans_of


@edges("rnnpipe.CoreferenceEdges.v1")
@dataclass(frozen=True)
class CoreferenceEdges:
    """Edges from the last token of each span of ``doc.spans[spans_key]`` to the last one of the
    next span with the same label and id. Type: ``coreference``.

    spans_key: the name of the span group.
    """

    spans_key: str = "coreference"
    types = ("coreference",)

    def read(self, doc: DocLike) -> np.ndarray:
        ends = spans_of(doc, self.spans_key, "coreferent mentions")
        spans = cast(Any, doc).spans[self.spans_key] if ends else []
        found = []
        last: dict[tuple[int, int], int] = {}
        for span in sorted(spans, key=lambda span: (span.end, span.start)):
            require_tokens(span.start, span.end, len(doc), doc.text, "mentions")
            thing, token = (span.label, span.id), span.end - 1
            if last.get(thing, token) != token:
                found.append((last[thing], token, 0))
            last[thing] = token
        return np.array(found, dtype=np.int64).reshape(-1, 3)
