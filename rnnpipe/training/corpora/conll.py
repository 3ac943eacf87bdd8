"""``rnnpipe.ConllCorpus.v1``: column files like those of CoNLL-2003 and WNUT17."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from rnnpipe.contracts.types import NonNegativeInt
from rnnpipe.errors import SettingsError, expected
from rnnpipe.training.corpora.columns import ColumnFile, Row
from rnnpipe.training.corpora.entities import MISSING, EntityReader
from rnnpipe.training.corpora.examples import Augmenter, Corpus, given, reader


@reader("rnnpipe.ConllCorpus.v1")
def ConllCorpus(
    path: Path | None,
    token_column: int = 0,
    ner_column: int | None = None,
    tag_column: int | None = None,
    scheme: str = "BIO",
    separator: str | None = None,
    comments: str | None = None,
    sentences_per_doc: NonNegativeInt = 1,
    encoding: str = "utf-8",
    limit: NonNegativeInt = 0,
    augmenter: Augmenter | None = None,
) -> Corpus:
    """A token a line with its annotation in columns; a blank line ends a sentence.

    path: the file.
    token_column, ner_column, tag_column: where the token, its entity tag (for ``doc.ents``) and its
        part-of-speech tag (for ``token.tag_``) stand: 0, 1, ..., or -1, -2, ... from the last one
        back. ``None`` where there is none. The annotation ``_`` is a missing one.
    scheme: of the entity tags, see :mod:`rnnpipe.contracts.schemes`.
    separator: what stands between columns. ``None``: tabs in a line with a tab, otherwise spaces.
    comments: lines that start with this are passed over. ``None``: no line is a comment, because
        tokens may start with a hash sign, as they do in tweets.
    sentences_per_doc: how many sentences make a document; 0 for all up to the next line that
        starts with ``-DOCSTART-``, which begins a new document in any case.
    encoding: of the file.
    limit: how many documents are read at most; 0 for all.
    augmenter: one of spaCy's ``@augmenters``.

    Raises SettingsError: no path, or neither ``ner_column`` nor ``tag_column``. When read,
    LabelError: a tag that the scheme does not have, or does not allow there, with its line.
    CorpusError: see :class:`~rnnpipe.training.corpora.columns.ColumnFile` and
    :class:`~rnnpipe.training.corpora.examples.Corpus`.
    """
    if ner_column is None and tag_column is None:
        want = "a number for ner_column or tag_column"
        do = "Set ner_column = -1, for instance, where the last column holds entity tags."
        raise SettingsError(expected("rnnpipe.ConllCorpus.v1", want, "no number for either", do))
    named = {"token_column": token_column, "ner_column": ner_column, "tag_column": tag_column}
    columns = {name: column for name, column in named.items() if column is not None}
    file = ColumnFile(given(path), columns, separator, comments, encoding)
    entities = EntityReader(scheme)

    def read(nlp: Language) -> Iterator[Doc]:
        for sentences in file.documents(sentences_per_doc):
            rows = [row for sentence in sentences for row in sentence]
            doc = Doc(
                nlp.vocab,
                words=[row.cells[token_column] for row in rows],
                tags=None if tag_column is None else [_tag(row, tag_column) for row in rows],
                sent_starts=[row is sentence[0] for sentence in sentences for row in sentence],
            )
            if ner_column is not None:
                tags = [[row.cells[ner_column] for row in sentence] for sentence in sentences]
                entities.annotate(doc, tags, [file.where(row) for row in rows])
            yield doc

    return Corpus(read, str(file.path), limit, augmenter)


def _tag(row: Row, column: int) -> str:
    return "" if row.cells[column] == MISSING else row.cells[column]
