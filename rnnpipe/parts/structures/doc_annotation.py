"""What structures, edges and embeddings read off documents besides their words."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from rnnpipe.contracts.types import DocLike
from rnnpipe.errors import StructureError, expected, opening


def spans_of(doc: DocLike, spans_key: str, what: str = "trees") -> list[tuple[int, int]]:
    """The first token of each span of a group and the one after its last, in the order of the
    group. what: that the spans stand for. Raises StructureError if a document with tokens has no
    such group."""
    groups = cast(Any, doc).spans
    if spans_key in groups:
        return [(span.start, span.end) for span in groups[spans_key]]
    if not len(doc):
        return []
    want = f"spans in doc.spans[{spans_key!r}]"
    got = "no such span group" + (f" (available: {', '.join(groups)})" if groups else "")
    do = f"Add {what} to the documents, or set spans_key to their group."
    raise StructureError(expected(opening(doc.text), want, got, do))


def mentions_of(doc: DocLike, spans_key: str, count: int) -> list[tuple[int, int]]:
    """The spans of a group, of which every document has the same number; none in one without
    tokens. Raises StructureError: no such group, another number of spans, or an empty one."""
    spans = spans_of(doc, spans_key, "mentions")
    if len(doc) and len(spans) != count:
        want = f"{count} spans in doc.spans[{spans_key!r}]"
        do = "Mark this number in every document, or change count."
        raise StructureError(expected(opening(doc.text), want, len(spans), do))
    for start, end in spans:
        require_tokens(start, end, len(doc), doc.text, "mentions")
    return spans


def require_tokens(
    start: int, end: int, n_tokens: int, text: str, what: str = "constituents"
) -> None:
    """Raises StructureError for an empty span, or one beyond the document."""
    if not 0 <= start < end <= n_tokens:
        want = f"{what} of one or more of the {n_tokens} tokens"
        raise StructureError(expected(opening(text), want, [start, end], "Remove the span."))


def heads_of(doc: DocLike) -> np.ndarray:
    """``(n,)`` the head of each token; a root's is itself. Raises StructureError if there is no
    dependency parse, or a head is none of the tokens."""
    if len(doc) and not cast(Any, doc).has_annotation("HEAD"):
        do = "Add a parser before this component, or set heads in the documents."
        raise StructureError(expected(opening(doc.text), "a dependency parse", "no heads", do))
    heads = np.arange(len(doc)) + doc.to_array("HEAD").astype(np.int64)
    outside = np.flatnonzero((heads < 0) | (heads >= len(doc)))
    if len(outside):
        want = f"heads among the {len(doc)} tokens"
        got = f"no such head: {int(heads[outside[0]])}, for token {int(outside[0])}"
        raise StructureError(expected(opening(doc.text), want, got))
    return heads
