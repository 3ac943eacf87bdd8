"""``rnnpipe.SlotIntentCorpus.v1``: utterances, slots and intents in parallel files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from rnnpipe.contracts.types import NonNegativeInt
from rnnpipe.errors import CorpusError, expected
from rnnpipe.training.corpora.entities import EntityReader
from rnnpipe.training.corpora.examples import Augmenter, Corpus, given, reader
from rnnpipe.training.corpora.files import read_lines


@reader("rnnpipe.SlotIntentCorpus.v1")
def SlotIntentCorpus(
    path: Path | None,
    scheme: str = "BIO",
    encoding: str = "utf-8",
    limit: NonNegativeInt = 0,
    augmenter: Augmenter | None = None,
) -> Corpus:
    """Three files with one utterance a line (the form in which Goo et al. 2018 shared SNIPS and
    ATIS): its words, a tag for each (``doc.ents``), and its intent (``doc.cats``).

    path: what the names begin with: ``snips/train`` for ``snips/train.seq.in``,
        ``snips/train.seq.out`` and ``snips/train.label``; or a folder with ``seq.in``, ``seq.out``
        and ``label``.
    scheme: of the tags, see :mod:`rnnpipe.contracts.schemes`.
    encoding: of the files.
    limit: how many utterances are read at most; 0 for all.
    augmenter: one of spaCy's ``@augmenters``.

    Raises SettingsError: no path. When read, LabelError: a tag that the scheme does not have, or
    does not allow there, with its line. CorpusError: files with different numbers of lines, a line
    with more or fewer tags than words; see also :class:`~rnnpipe.training.corpora.examples.Corpus`.
    """
    entities = EntityReader(scheme)
    files = [_file(given(path), part) for part in ("seq.in", "seq.out", "label")]

    def read(nlp: Language) -> Iterator[Doc]:
        intents = sorted({intent.strip() for _, intent in read_lines(files[2], encoding)} - {""})
        for words, tags, intent, place in _utterances(files, encoding):
            doc = Doc(nlp.vocab, words=words)
            entities.annotate(doc, [tags], [f"{place}, tag {i + 1}" for i in range(len(tags))])
            doc.cats = {name: float(name == intent) for name in intents}
            yield doc

    return Corpus(read, str(path), limit, augmenter)


def _file(path: Path, part: str) -> Path:
    return path / part if path.is_dir() else path.with_name(f"{path.name}.{part}")


def _utterances(
    files: list[Path], encoding: str
) -> Iterator[tuple[list[str], list[str], str, str]]:
    """Words, tags, intent and the place of the tags. A line blank in all three files is none."""
    readers = [read_lines(file, encoding) for file in files]
    for number, lines in enumerate(zip_longest(*readers), start=1):
        for file, line in zip(files, lines, strict=True):
            if line is None:
                do = "The three files must have one line per utterance."
                want = f"line {number}, as in the other files"
                raise CorpusError(expected(str(file), want, "no more lines", do))
        words, tags = ([cell for cell in text.split(" ") if cell] for _, text in lines[:2])
        intent = lines[2][1].strip()
        place = f"{files[1]}:{number}"
        if len(words) != len(tags):
            want = f"{len(words)} tags, one per word of {files[0].name}"
            raise CorpusError(expected(place, want, len(tags), "Correct the line."))
        if words and not intent:
            where = f"{files[2]}:{number}"
            raise CorpusError(expected(where, "an intent", "no text", "Correct the line."))
        if words:
            yield words, tags, intent, place
