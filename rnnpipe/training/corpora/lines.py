"""``rnnpipe.LineCorpus.v1``: one text a line, one file a category."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from rnnpipe.contracts.types import NonNegativeInt
from rnnpipe.training.corpora.examples import Augmenter, Corpus, given, reader
from rnnpipe.training.corpora.files import read_lines
from rnnpipe.training.corpora.shares import Share


@reader("rnnpipe.LineCorpus.v1")
def LineCorpus(
    path: Path | None,
    files: dict[str, str],
    share: tuple[float, float] | None = None,
    seed: int = 0,
    tokenized: bool = False,
    encoding: str = "utf-8",
    limit: NonNegativeInt = 0,
    augmenter: Augmenter | None = None,
) -> Corpus:
    """Texts with one category each, for a text classifier. Blank lines are passed over.

    The files are read in turn, a line of each, so that a stream and the first ``limit`` texts have
    every category in them.

    path: the folder of the files.
    files: by category, the name of the file that holds its texts.
    share: ``[from, to]``, which part of the texts to read, between 0 and 1: ``[0.0, 0.1]`` is a
        fixed tenth and ``[0.1, 1.0]`` the rest of it; ``None`` for all. The text alone decides
        which share it falls in, so that the same text is never on both sides.
    seed: another number for other shares.
    tokenized: a token is what stands between spaces; otherwise the pipeline's tokenizer decides.
    encoding: of the files.
    limit: how many texts are read at most; 0 for all.
    augmenter: one of spaCy's ``@augmenters``.

    Raises SettingsError: no path, or a share that is not ``0 <= from < to <= 1``. CorpusError: see
    :class:`rnnpipe.training.corpora.examples.Corpus`.
    """
    folder = given(path)
    part = Share(*(share or (0.0, 1.0)), seed)

    def read(nlp: Language) -> Iterator[Doc]:
        for category, text in _in_turn(folder, files, encoding):
            if text in part:
                words = [word for word in text.split(" ") if word]
                doc = Doc(nlp.vocab, words=words) if tokenized else nlp.make_doc(text)
                doc.cats = {name: float(name == category) for name in files}
                yield doc

    return Corpus(read, str(folder), limit, augmenter)


def _in_turn(folder: Path, files: dict[str, str], encoding: str) -> Iterator[tuple[str, str]]:
    """Category and text, round the files until the last one ends."""
    texts = {category: read_lines(folder / name, encoding) for category, name in files.items()}
    while texts:
        for category in list(texts):
            _, text = next(texts[category], (0, None))
            if text is None:
                del texts[category]
            elif text.strip():
                yield category, text.strip()
