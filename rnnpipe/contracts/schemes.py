"""Tagging schemes: how the entities of a document are written as one tag a token.

A tag is ``O`` (outside every entity) or a letter that says where in its entity the token stands and
the entity's type, ``B-PER``; the type may contain hyphens itself. Schemes differ in their letters
alone, so one table holds them all. What may follow what is derived from it:

- *within* an entity: begin to inside or end, inside to inside or end, always of the same type;
- *between* entities (and ``O``): a tag that may end an entity, then a tag that may start one;
- a document starts with a tag that may start an entity, and ends with one that may end it.

An entity given as a span is ``(start, end, type)``: token positions, ``end`` exclusive, and an
index into :attr:`TagSet.types`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnpipe.errors import LabelError, expected

OUTSIDE = "O"
#: What a :class:`Violation` calls the edge of the document, and a token without a gold tag.
EDGE = "the edge of the document"
MISSING = "a missing tag"


@dataclass(frozen=True)
class Scheme:
    """One row of the table.

    begin, inside, end, single: the letter of an entity's first, middle and last token and of its
        only token. A scheme with fewer letters repeats them.
    separator: the letter of an entity's first token directly after an entity of the same type,
        where the scheme writes it in a way of its own; it is legal nowhere else.

    Two adjacent entities of one type become one under IO, which cannot tell them apart.
    """

    name: str
    begin: str
    inside: str
    end: str
    single: str
    separator: str = ""

    @property
    def letters(self) -> str:
        """The distinct letters, in the order of their roles."""
        roles = self.separator + self.begin + self.inside + self.end + self.single
        return "".join(dict.fromkeys(roles))

    def tags(self, types: Iterable[str]) -> tuple[str, ...]:
        """``O`` and every tag of these entity types, type by type, so that a new type appends."""
        return (OUTSIDE, *(_join(letter, t) for t in types for letter in self.letters))

    def split(self, tag: str) -> tuple[str, str]:
        """``B-PER`` to ``("B", "PER")``, ``O`` to ``("O", "")``.

        A letter alone is an entity without a type (word segmentation). Raises LabelError for
        anything else.
        """
        letter, hyphen, kind = tag.partition("-")
        if tag == OUTSIDE or (letter in set(self.letters) and bool(hyphen) == bool(kind)):
            return letter, kind
        forms = ", ".join(f"{letter}-TYPE" for letter in self.letters)
        raise LabelError(
            expected(
                f"tag scheme {self.name}",
                f"a tag of the form O, {forms}",
                tag,
                "Set the scheme of the data, or convert the data.",
            )
        )

    def within(self, first: str, second: str) -> bool:
        """Return whether a token with the second letter goes on with the entity of one with the
        first."""
        return first in (self.separator, self.begin, self.inside) and second in (
            self.inside,
            self.end,
        )

    def bind(self, names: Sequence[str]) -> TagSet:
        """Return the scheme over these tags, with their positions as ids."""
        return TagSet(self, tuple(names))

    def allowed(
        self, names: Sequence[str]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Which tags may start a document ``(L,)``, follow each other ``(L, L)`` ``[from, to]``,
        and end a document ``(L,)``."""
        bound = self.bind(names)
        return bound.start, bound.transitions, bound.end

    def check(self, tags: Sequence[str | None]) -> Violation | None:
        """Return the first place where a document's tags break the scheme; ``None``: a missing
        tag."""
        types: dict[str, None] = {}
        for position, tag in enumerate(tags):
            try:
                letter, kind = self.split(OUTSIDE if tag is None else tag)
            except LabelError:
                previous = tags[position - 1] if position else EDGE
                return Violation(self.name, position, previous or MISSING, str(tag))
            if letter != OUTSIDE:
                types[kind] = None
        bound = self.bind(self.tags(types))
        return bound.check(np.array([-1 if tag is None else bound.index[tag] for tag in tags]))


#: The table. BILUO is BIOES in other letters.
SCHEMES = {
    scheme.name: scheme
    for scheme in (
        Scheme("BIO", begin="B", inside="I", end="I", single="B"),
        Scheme("IOB1", begin="I", inside="I", end="I", single="I", separator="B"),
        Scheme("BIOES", begin="B", inside="I", end="E", single="S"),
        Scheme("BILUO", begin="B", inside="I", end="L", single="U"),
        Scheme("BMES", begin="B", inside="M", end="E", single="S"),
        Scheme("IO", begin="I", inside="I", end="I", single="I"),
    )
}


@dataclass(frozen=True)
class Violation:
    """Where a document first breaks its scheme: ``tag`` may not follow ``previous``.

    position: the token of ``tag``; of ``previous`` if it is the document that may not end there.
    """

    scheme: str
    position: int
    previous: str
    tag: str

    def __str__(self) -> str:
        return expected(
            f"token {self.position}",
            f"a tag that {self.scheme} allows after {self.previous!r}",
            self.tag,
            "Correct the tags, or set the scheme of the data.",
        )


@dataclass(frozen=True)
class TagSet:
    """A scheme over the tags of a decoder: spans to tag ids and back, and what is legal.

    names: the tags, in the order of their ids. Raises LabelError if one is not of the scheme.
    """

    scheme: Scheme
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in self.names:
            self.scheme.split(name)

    @cached_property
    def index(self) -> dict[str, int]:
        """The id of each tag."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The entity types, in the order of their first tags."""
        pairs = (self.scheme.split(name) for name in self.names)
        return tuple(dict.fromkeys(kind for letter, kind in pairs if letter != OUTSIDE))

    @cached_property
    def type_index(self) -> dict[str, int]:
        """The id of each entity type."""
        return {name: i for i, name in enumerate(self.types)}

    @cached_property
    def tag_types(self) -> NDArray[np.int64]:
        """``(L + 1,)`` the type of each tag, -1 for ``O``. The last entry is that of id -1, a
        missing tag, which counts as ``O``."""
        types = [self.type_index.get(self.scheme.split(name)[1], -1) for name in self.names]
        outside = np.array([name == OUTSIDE for name in (*self.names, OUTSIDE)])
        return np.where(outside, -1, np.array([*types, -1], dtype=np.int64))

    @cached_property
    def _letters(self) -> NDArray[np.str_]:
        return np.array([self.scheme.split(name)[0] for name in (*self.names, OUTSIDE)])

    @cached_property
    def within(self) -> NDArray[np.bool_]:
        """``(L, L)`` ``[from, to]``: both tags belong to one entity."""
        return self._within[:-1, :-1]

    @cached_property
    def _within(self) -> NDArray[np.bool_]:
        letters, codes = np.unique(self._letters, return_inverse=True)
        table = np.array([[self.scheme.within(str(a), str(b)) for b in letters] for a in letters])
        within: NDArray[np.bool_] = table[codes[:, None], codes] & self._same_type
        return within

    @property
    def _same_type(self) -> NDArray[np.bool_]:
        same: NDArray[np.bool_] = self.tag_types[:, None] == self.tag_types
        same &= self.tag_types != -1
        return same

    @cached_property
    def start(self) -> NDArray[np.bool_]:
        """``(L,)`` the tags that may start a document (and follow another entity or ``O``)."""
        return np.isin(self._letters[:-1], [OUTSIDE, self.scheme.begin, self.scheme.single])

    @cached_property
    def end(self) -> NDArray[np.bool_]:
        """``(L,)`` the tags that may end a document (and come before another entity or ``O``)."""
        last = [OUTSIDE, self.scheme.end, self.scheme.single]
        return np.isin(self._letters[:-1], [*last, self.scheme.separator or OUTSIDE])

    @cached_property
    def transitions(self) -> NDArray[np.bool_]:
        """``(L, L)`` ``[from, to]``: the tags that may stand next to each other."""
        separates = (self._letters[:-1] == self.scheme.separator) & self._same_type[:-1, :-1]
        legal: NDArray[np.bool_] = self.within | (self.end[:, None] & (self.start | separates))
        return legal

    @cached_property
    def members(self) -> NDArray[np.int64]:
        """``(Y, K)`` the tags of each type, -1 to fill up."""
        tags = [np.flatnonzero(self.tag_types[:-1] == i) for i in range(len(self.types))]
        table = np.full((len(tags), max(map(len, tags), default=1)), -1, dtype=np.int64)
        for row, ids in zip(table, tags, strict=True):
            row[: len(ids)] = ids
        return table

    def encode(self, spans: Iterable[tuple[int, int, int]], length: int) -> NDArray[np.int64]:
        """Spans, in any order, to the tag ids of a document, ``(length,)``.

        Raises LabelError for spans that overlap, are empty or leave the document, and where a tag
        is needed that is not among the names.
        """
        scheme, ids = self.scheme, np.full(length, self.index.get(OUTSIDE, -1), dtype=np.int64)
        before, before_type = 0, -1
        for start, end, kind in sorted(spans):
            if not before <= start < end <= length:
                raise LabelError(
                    expected(
                        f"span ({start}, {end})",
                        f"disjoint, non-empty spans within {length} tokens",
                        [(start, end), f"after token {before}"],
                        "Remove the overlapping or misplaced span.",
                    )
                )
            table = self._role_ids[kind]
            ids[start:end] = table[scheme.inside]
            ids[end - 1] = table[scheme.end]
            first = scheme.begin if end - start > 1 else scheme.single
            if scheme.separator and start == before and kind == before_type:
                first = scheme.separator
            ids[start] = table[first]
            before, before_type = end, kind
        if length and ids.min() < 0:
            raise LabelError(
                expected(
                    f"tags {list(self.names)}",
                    f"all tags of {self.scheme.name} that the gold spans need",
                    "no such tag",
                    "Make the names with Scheme.tags(types).",
                )
            )
        return ids

    @cached_property
    def _role_ids(self) -> list[dict[str, int]]:
        # for each type: letter to tag id, -1 where the tag is not among the names
        letters = self.scheme.letters
        return [{a: self.index.get(_join(a, kind), -1) for a in letters} for kind in self.types]

    def decode(self, ids: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the spans ``(N, 3)`` of one document's tag ids ``(T,)``; see
        :meth:`decode_batch`."""
        return self.decode_batch(ids[None], np.array([len(ids)]))[:, 1:]

    def decode_batch(
        self, ids: NDArray[np.integer], lengths: NDArray[np.integer]
    ) -> NDArray[np.int64]:
        """Return the entities of a padded batch: ``(N, 4)`` rows of
        ``(document, start, end, type)``.

        Illegal sequences are read as conlleval reads them: a token goes on with the entity of the
        token before it if both have one type and their letters may stand within an entity;
        otherwise, unless it is ``O``, it starts one. On legal sequences that is exact.

        ids: ``(B, T)``; -1 counts as ``O``. lengths: ``(B,)``.
        """
        rows, size = ids.shape
        # One column of O on the right, so that entities end with their document.
        padded = np.full((rows, size + 1), -1, dtype=np.int64)
        np.copyto(padded[:, :size], ids, where=np.arange(size) < np.asarray(lengths)[:, None])
        flat = padded.ravel()
        inside = self.tag_types[flat] >= 0
        goes_on = np.zeros(flat.size + 1, dtype=bool)
        goes_on[1:-1] = self._within[flat[:-1], flat[1:]]
        starts = np.flatnonzero(inside & ~goes_on[:-1])
        last = np.flatnonzero(inside & ~goes_on[1:])
        documents, offsets = np.divmod(starts, size + 1)
        ends = offsets + (last - starts) + 1
        return np.stack([documents, offsets, ends, self.tag_types[flat[starts]]], axis=1)

    def check(self, gold: NDArray[np.integer] | NDArray[np.bool_]) -> Violation | None:
        """Return the first place where no legal path fits a document's gold tags, or ``None``.

        gold: ``(T,)`` tag ids, -1 where missing, or ``(T, L)`` bool, true where still possible.
        """
        if len(gold) == 0:
            return None
        if gold.ndim == 2:
            possible = gold.astype(bool)
        elif gold.min() >= 0 and self._legal(gold):
            return None
        else:
            possible = (gold[:, None] == np.arange(len(self.names))) | (gold < 0)[:, None]
        reached = self.start & possible[0]
        for position in range(1, len(possible)):
            if not reached.any():
                return self._violation(possible, position - 1)
            reached = (reached @ self.transitions) & possible[position]
        if not reached.any():
            return self._violation(possible, len(possible) - 1)
        if not (reached & self.end).any():
            name = self._name(possible[-1])
            return Violation(self.scheme.name, len(possible) - 1, name, EDGE)
        return None

    def _legal(self, ids: NDArray[Any]) -> bool:
        inner = self.transitions[ids[:-1], ids[1:]].all()
        return bool(self.start[ids[0]] and inner and self.end[ids[-1]])

    def _violation(self, possible: NDArray[np.bool_], position: int) -> Violation:
        previous = self._name(possible[position - 1]) if position else EDGE
        return Violation(self.scheme.name, position, previous, self._name(possible[position]))

    def _name(self, possible: NDArray[np.bool_]) -> str:
        ids = np.flatnonzero(possible)
        return self.names[ids[0]] if len(ids) == 1 else MISSING


def convert(tags: Sequence[str], source: Scheme, target: Scheme) -> tuple[str, ...]:
    """Return a document's tags in another scheme; illegal ones are read as ``decode_batch`` reads
    them.

    Raises LabelError for a tag that is not of the source scheme.
    """
    types = tuple(dict.fromkeys(source.split(tag)[1] for tag in tags if tag != OUTSIDE))
    read, write = source.bind(source.tags(types)), target.bind(target.tags(types))
    spans = read.decode(np.array([read.index[tag] for tag in tags], dtype=np.int64))
    return tuple(write.names[i] for i in write.encode(map(tuple, spans.tolist()), len(tags)))


def _join(letter: str, kind: str) -> str:
    return f"{letter}-{kind}" if kind else letter
