"""Tags of a scheme, one a token, to the entities of a Doc."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
from spacy.tokens import Doc, Span

from rnnpipe.contracts.schemes import OUTSIDE, SCHEMES, Violation
from rnnpipe.errors import LabelError, SettingsError, expected, nearest

#: A missing annotation.
MISSING = "_"
_collected: ContextVar[dict[str, None] | None] = ContextVar("_collected", default=None)


@contextmanager
def illegal_tags_collected() -> Iterator[dict[str, None]]:
    """While the block runs, the first illegal tag of each sentence is listed here, as the error
    that it would be. The tags are read as conlleval reads them; those that the scheme does not
    have count as missing."""
    messages: dict[str, None] = {}
    token = _collected.set(messages)
    try:
        yield messages
    finally:
        _collected.reset(token)


class EntityReader:
    """Reads and checks the entity tags of a corpus, whose types it learns as they come.

    scheme: the name of one of :data:`rnnpipe.contracts.schemes.SCHEMES`. Raises SettingsError for
        another.
    """

    def __init__(self, scheme: str) -> None:
        if scheme not in SCHEMES:
            want = "one of " + ", ".join(SCHEMES)
            raise SettingsError(expected("scheme", want, scheme, nearest(scheme, SCHEMES)))
        self._scheme = SCHEMES[scheme]
        self._tags = self._scheme.bind((OUTSIDE,))

    def annotate(self, doc: Doc, sentences: Sequence[list[str]], places: Sequence[str]) -> None:
        """Set ``doc.ents``. A missing tag leaves its token's entity unknown.

        sentences: the tags of each.
        places: where each token's tag stands, for errors.

        Raises LabelError: a tag that the scheme does not have, or does not allow where it stands,
        or without a type.
        """
        entities: list[Span] = []
        missing: list[Span] = []
        start = 0
        for tags in sentences:
            for first, end, kind in self._read(tags, places[start:]):
                entities.append(Span(doc, start + first, start + end, label=kind))
            unknown = [start + i for i, tag in enumerate(tags) if tag == MISSING]
            missing.extend(doc[i : i + 1] for i in unknown)
            start += len(tags)
        doc.set_ents(entities, missing=missing, default="outside")

    def _read(self, tags: list[str], places: Sequence[str]) -> list[tuple[int, int, str]]:
        """The (start, end, type) of the entities of a sentence."""
        known = [None if tag == MISSING else tag for tag in tags]
        if not self._tags.index.keys() >= set(known) - {None}:
            _refuse(self._scheme.check(known), places)
            known = [tag if tag is None or self._has(tag) else None for tag in known]
            self._learn(known, places)
        ids = np.array([-1 if tag is None else self._tags.index[tag] for tag in known])
        _refuse(self._tags.check(ids), places)
        return [(s, e, self._tags.types[k]) for s, e, k in self._tags.decode(ids).tolist()]

    def _has(self, tag: str) -> bool:
        try:
            self._scheme.split(tag)
        except LabelError:
            return False
        return True

    def _learn(self, tags: Sequence[str | None], places: Sequence[str]) -> None:
        """Add the entity types of these tags to the known ones."""
        types = dict.fromkeys(self._tags.types)
        for tag, place in zip(tags, places, strict=False):
            if tag is None or tag == OUTSIDE:
                continue
            letter, kind = self._scheme.split(tag)
            if not kind:
                do = "Add the type of the entity to the file."
                raise LabelError(expected(place, f"a type, as in '{letter}-PERSON'", tag, do))
            types[kind] = None
        self._tags = self._scheme.bind(self._scheme.tags(types))


def _refuse(violation: Violation | None, places: Sequence[str]) -> None:
    if violation is not None:
        want = f"a tag that {violation.scheme} allows after {violation.previous!r}"
        do = "Correct the file, or set the reader's scheme to the scheme of the file."
        message = expected(places[violation.position], want, violation.tag, do)
        collected = _collected.get()
        if collected is None:
            raise LabelError(message)
        collected[message] = None
