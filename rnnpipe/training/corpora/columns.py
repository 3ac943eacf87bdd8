"""Column files: a token a line, a blank line after each sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rnnpipe.errors import CorpusError, expected
from rnnpipe.training.corpora.files import read_lines

#: What the first cell of a line says that begins a document.
DOCUMENT = "-DOCSTART-"


class Row(NamedTuple):
    """A line with its number; a blank line has no cells."""

    line: int
    cells: list[str]


Sentence = list[Row]


@dataclass(frozen=True)
class ColumnFile:
    """A file and how to read it.

    columns: the columns that will be asked for, from 0, or from -1 back, by what they are.
    separator: what stands between cells. ``None``: tabs in a line with a tab, otherwise spaces.
    comments: what a line starts with that is passed over, if anything.
    """

    path: Path
    columns: Mapping[str, int]
    separator: str | None = None
    comments: str | None = None
    encoding: str = "utf-8"

    def where(self, row: Row) -> str:
        return f"{self.path}:{row.line}"

    def documents(self, sentences_per_doc: int) -> Iterator[list[Sentence]]:
        """Sentences in groups of so many; 0 for all up to the next ``-DOCSTART-``."""
        document: list[Sentence] = []
        for sentence in self.sentences():
            if sentence:
                document.append(sentence)
            if document and (not sentence or len(document) == sentences_per_doc):
                yield document
                document = []
        if document:
            yield document

    def sentences(self) -> Iterator[Sentence]:
        """The sentences in order, and an empty one where a document begins."""
        sentence: Sentence = []
        for row in self.rows():
            begins_document = row.cells[:1] == [DOCUMENT]
            if row.cells and not begins_document:
                sentence.append(row)
            elif sentence:
                yield sentence
                sentence = []
            if begins_document:
                yield []
        if sentence:
            yield sentence

    def rows(self) -> Iterator[Row]:
        """Raises CorpusError: a line with more or fewer columns than the first one, or without a
        column or token that is asked for."""
        first: Row | None = None
        for number, line in read_lines(self.path, self.encoding):
            if self.comments and line.startswith(self.comments):
                continue
            row = Row(number, self._cells(line))
            if row.cells and row.cells[0] != DOCUMENT:
                first = first or row
                self._check(row, first)
            yield row

    def _cells(self, line: str) -> list[str]:
        if not line.strip():
            return []
        separator = self.separator or ("\t" if "\t" in line else None)
        return line.split(separator) if separator else [c for c in line.split(" ") if c]

    def _check(self, row: Row, first: Row) -> None:
        width = len(first.cells)
        if len(row.cells) != width:
            want = f"{width} columns, as in line {first.line}"
            do = "Correct the line, or change the reader's separator or comments."
            raise CorpusError(expected(self.where(row), want, len(row.cells), do))
        for name, column in self.columns.items():
            if not -width <= column < width:
                do = f"Set {name} to a column from 0 to {width - 1}, or the reader's separator."
                got = f"{name} = {column} in {width} columns"
                raise CorpusError(expected(self.where(row), f"a column for {name}", got, do))
            if not row.cells[column]:
                do = "Fill the column; _ stands for a missing annotation."
                want = f"a value in column {column} ({name})"
                raise CorpusError(expected(self.where(row), want, "no text", do))
