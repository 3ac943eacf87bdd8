"""``rnnpipe.ParallelCorpus.v1``: a text and its translation a line."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nsmallest
from pathlib import Path
from typing import Literal

from spacy.language import Language
from spacy.tokens import Doc

from rnnpipe.contracts.types import NonNegativeInt
from rnnpipe.training.corpora.columns import ColumnFile
from rnnpipe.training.corpora.examples import Augmenter, Corpus, given, reader
from rnnpipe.training.corpora.shares import Share, place

#: A text and its translation.
Pair = tuple[str, str]


@reader("rnnpipe.ParallelCorpus.v1")
def ParallelCorpus(
    path: Path | None,
    source: int = 0,
    target: int = 1,
    attribute: str = "translation",
    share: tuple[float, float] | None = None,
    split_by: Literal["source", "target"] = "source",
    seed: int = 0,
    separator: str = "\t",
    encoding: str = "utf-8",
    limit: NonNegativeInt = 0,
    augmenter: Augmenter | None = None,
) -> Corpus:
    """Parallel texts for ``rnn_seq2seq``: the source becomes a document, the target what is to be
    learnt from it. Blank lines are passed over.

    source, target: the columns of the two, from 0, or from -1 back.
    attribute: the extension attribute of the documents that holds the target.
    share: ``[from, to]``, which part of the pairs to read, between 0 and 1: ``[0.0, 0.1]`` is a
        fixed tenth and ``[0.1, 1.0]`` the rest of it; ``None`` for all.
    split_by: the side that decides which share a pair falls in. All pairs with the same text on
        that side are in the same share.
    seed: another number for other shares.
    separator: what stands between columns.
    encoding: of the file.
    limit: how many pairs are read at most; 0 for all. They are drawn evenly from the whole share,
        which is held in memory, the same at each call, none twice.
    augmenter: one of spaCy's ``@augmenters``.

    Raises SettingsError: no path, or a share that is not ``0 <= from < to <= 1``. CorpusError: a
    line without these columns or with nothing in one; see also
    :class:`rnnpipe.training.corpora.examples.Corpus`.
    """
    columns = {"source": source, "target": target}
    file = ColumnFile(given(path), columns, separator=separator, encoding=encoding)
    part = Share(*(share or (0.0, 1.0)), seed)

    def pairs() -> Iterator[Pair]:
        for row in file.rows():
            if row.cells:
                pair = row.cells[source], row.cells[target]
                if pair[split_by == "target"] in part:
                    yield pair

    def read(nlp: Language) -> Iterator[Doc]:
        if not Doc.has_extension(attribute):
            Doc.set_extension(attribute, default=None)
        for text, translation in _drawn(pairs(), limit, seed) if limit else pairs():
            doc = nlp.make_doc(text)
            doc._.set(attribute, translation)
            yield doc

    return Corpus(read, str(file.path), limit, augmenter)


def _drawn(pairs: Iterator[Pair], limit: int, seed: int) -> list[Pair]:
    """That many different pairs. Their places have nothing to do with those that decide shares."""
    return nsmallest(limit, dict.fromkeys(pairs), key=lambda pair: place("\t".join(pair), ~seed))
