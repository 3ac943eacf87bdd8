"""``rnnpipe.RelationCorpus.v1``: relations between two marked nouns, like SemEval-2010 task 8."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from spacy.language import Language
from spacy.tokens import Doc, Span

from rnnpipe.contracts.types import NonNegativeInt
from rnnpipe.errors import CorpusError, expected
from rnnpipe.training.corpora.examples import Augmenter, Corpus, given, reader
from rnnpipe.training.corpora.files import read_lines
from rnnpipe.training.corpora.given_annotation import keep_spans
from rnnpipe.training.corpora.shares import Share

_MARK = re.compile(r"</?e[12]>")
_IN_ORDER = ["<e1>", "</e1>", "<e2>", "</e2>"]


@reader("rnnpipe.RelationCorpus.v1")
def RelationCorpus(
    path: Path | None,
    share: tuple[float, float] | None = None,
    seed: int = 0,
    spans_key: str = "mentions",
    encoding: str = "utf-8",
    limit: NonNegativeInt = 0,
    augmenter: Augmenter | None = None,
) -> Corpus:
    """A document an example, as in SemEval-2010 Task 8 (Hendrickx et al. 2010): a line with a
    number, a tab and a sentence in quotes; a line with its relation; a third one, a comment, which
    is passed over; then a blank line::

        1	"The <e1>baker</e1> kneads the dough with a <e2>machine</e2>."
        Instrument-Agency(e2,e1)
        Comment:

    The marked nouns are the two spans of ``doc.spans[spans_key]``, which the pipeline is given as
    well; each covers all tokens that it shares a character with. The relation is the true category
    of ``doc.cats``.

    path: the file.
    share: ``[from, to]``, which part of the sentences to read, between 0 and 1; ``None`` for all.
        The sentence alone decides which share it falls in.
    seed: another number for other shares.
    spans_key: the name of the span group.
    encoding: of the file.
    limit: how many examples are read at most; 0 for all.
    augmenter: one of spaCy's ``@augmenters``.

    Raises SettingsError: no path, or a share that is not ``0 <= from < to <= 1``. When read,
    CorpusError with the line: a line that is not what it should be, marks that are missing or in
    another order, or with nothing between them; and see
    :class:`rnnpipe.training.corpora.examples.Corpus`.
    """
    file = given(path)
    part = Share(*(share or (0.0, 1.0)), seed)

    def read(nlp: Language) -> Iterator[Doc]:
        for relation in read_relations(read_lines(file, encoding), str(file)):
            if relation.text in part:
                doc = nlp.make_doc(relation.text)
                spans = [doc.char_span(*m, alignment_mode="expand") for m in relation.mentions]
                doc.spans[spans_key] = cast(list[Span], spans)
                doc.cats = {relation.label: 1.0}
                yield doc

    return Corpus(read, str(file), limit, augmenter, partial(keep_spans, spans_key=spans_key))


@dataclass(frozen=True)
class Relation:
    """An example as it is read. mentions: the first character of each noun, and the one after its
    last."""

    text: str
    mentions: tuple[tuple[int, int], tuple[int, int]]
    label: str


def read_relations(lines: Iterable[tuple[int, str]], where: str) -> Iterator[Relation]:
    """The examples of numbered lines. where: the file, for errors. Raises CorpusError."""
    block: list[tuple[int, str]] = []
    for number, line in lines:
        if line.strip():
            block.append((number, line.strip()))
        elif block:
            yield _relation(block, where)
            block = []
    if block:
        yield _relation(block, where)


def _relation(block: list[tuple[int, str]], where: str) -> Relation:
    (number, sentence), *rest = block
    place = f"{where}:{number}"
    if len(rest) not in (1, 2):
        want = "a line with a sentence, a line with its relation and an optional comment"
        do = "Put a blank line between examples."
        raise CorpusError(expected(place, want, f"{len(block)} lines", do))
    _, tab, quoted = sentence.partition("\t")
    if not tab:
        want = "a number, a tab and a sentence"
        raise CorpusError(expected(place, want, sentence))
    text, mentions = _without_marks(quoted.removeprefix('"').removesuffix('"'), place)
    return Relation(text, mentions, rest[0][1])


def _without_marks(marked: str, place: str) -> tuple[str, tuple[tuple[int, int], tuple[int, int]]]:
    marks = list(_MARK.finditer(marked))
    if [mark[0] for mark in marks] != _IN_ORDER:
        want = f"the marks {' '.join(_IN_ORDER)}, in this order"
        got = " ".join(mark[0] for mark in marks) or "no marks"
        raise CorpusError(expected(place, want, got, "Mark two nouns, the first as e1."))
    text, ends = "", []
    last = 0
    for mark in marks:
        text += marked[last : mark.start()]
        ends.append(len(text))
        last = mark.end()
    text += marked[last:]
    mentions = (ends[0], ends[1]), (ends[2], ends[3])
    for start, end in mentions:
        if not text[start:end].strip():
            do = "Mark at least one word."
            raise CorpusError(expected(place, "a word between the marks", text[start:end], do))
    return text, mentions
