"""``rnnpipe.BracketCorpus.v1``: trees as nested brackets, like those of the Penn Treebank."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span

from rnnpipe.contracts.types import NonNegativeInt
from rnnpipe.errors import CorpusError, expected
from rnnpipe.training.corpora.entities import MISSING
from rnnpipe.training.corpora.examples import Augmenter, Corpus, given, reader
from rnnpipe.training.corpora.files import read_lines
from rnnpipe.training.corpora.given_annotation import keep_spans

_PIECE = re.compile(r"[()]|[^() ]+")  # the ASCII space alone: words may hold any other


@reader("rnnpipe.BracketCorpus.v1")
def BracketCorpus(
    path: Path | None,
    labels: bool = True,
    spans_key: str = "constituents",
    encoding: str = "utf-8",
    limit: NonNegativeInt = 0,
    augmenter: Augmenter | None = None,
) -> Corpus:
    """A document a tree, ``(S (NP (DT The) (NN cat)) (VP sat))``, on one line or on several. Words
    stand between spaces and brackets.

    Every bracket becomes a span of the gold ``doc.spans[spans_key]``, children before parents, and
    the label of the outermost one the true category of ``doc.cats``. The documents that the
    pipeline is to annotate have the same spans without labels.

    path: the file.
    labels: whether the first word of a bracket is its label; ``_`` is a missing one. A bracket that
        begins with another bracket, like the outermost ones of the Penn Treebank, is passed over.
        Otherwise all words are tokens, and all brackets constituents without labels.
    spans_key: the name of the span group.
    encoding: of the file.
    limit: how many trees are read at most; 0 for all.
    augmenter: one of spaCy's ``@augmenters``.

    Raises SettingsError: no path. When read, CorpusError with line and column: a bracket that is
    not opened, not closed or empty, or a word outside of all; and see
    :class:`rnnpipe.training.corpora.examples.Corpus`.
    """
    file = given(path)

    def read(nlp: Language) -> Iterator[Doc]:
        for tree in read_trees(read_lines(file, encoding), str(file), labels):
            doc = Doc(nlp.vocab, words=tree.words)
            doc.spans[spans_key] = [Span(doc, *span) for span in tree.spans]
            if tree.spans and (root := tree.spans[-1][2]):
                doc.cats = {root: 1.0}
            yield doc

    return Corpus(read, str(file), limit, augmenter, partial(keep_spans, spans_key=spans_key))


@dataclass
class BracketTree:
    """A tree as it is read: its words, and the start, end and label of each constituent, children
    before parents."""

    words: list[str] = field(default_factory=list)
    spans: list[tuple[int, int, str]] = field(default_factory=list)


def read_trees(lines: Iterable[tuple[int, str]], where: str, labels: bool) -> Iterator[BracketTree]:
    """The trees of numbered lines. where: the file, for errors. Raises CorpusError: see above."""
    tree = BracketTree()
    #: Where each bracket was opened, its first token, and its label if it has been read.
    open_brackets: list[tuple[str, int, str | None]] = []
    fresh = False  # whether the bracket has just been opened, so that a word is its label
    for number, line in lines:
        for match in _PIECE.finditer(line):
            piece, place = match[0], f"{where}:{number}:{match.start() + 1}"
            if piece == "(":
                open_brackets.append((place, len(tree.words), None))
            elif not open_brackets:
                do = "Remove it, or open a bracket before it."
                raise CorpusError(expected(place, "an opening bracket", piece, do))
            elif piece == ")":
                _close(tree, *open_brackets.pop(), labels=labels)
                if not open_brackets:
                    yield tree
                    tree = BracketTree()
            elif labels and fresh:
                opened, start, _ = open_brackets.pop()
                open_brackets.append((opened, start, piece))
            else:
                tree.words.append(piece)
            fresh = piece == "("
    if open_brackets:
        do = "Close the bracket."
        want = "a matching closing bracket"
        raise CorpusError(expected(open_brackets[-1][0], want, "no more text", do))


def _close(tree: BracketTree, place: str, start: int, label: str | None, *, labels: bool) -> None:
    if start == len(tree.words):
        do = "Remove the bracket or add a word to it."
        got = "no word" if label is None else f"no word besides the label {label!r}"
        raise CorpusError(expected(place, "a word in the bracket", got, do))
    if label is not None or not labels:
        known = "" if label is None or label == MISSING else label
        tree.spans.append((start, len(tree.words), known))
