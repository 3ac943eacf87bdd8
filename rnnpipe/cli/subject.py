"""What ``spacy rnn bench`` measures: a pipeline, and as much data as is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.util import registry
from thinc.api import Config

from rnnpipe.cli.pipelines import load_pipeline
from rnnpipe.cli.text import filled_lines
from rnnpipe.cli.training_config import read_training_config, spacys_errors
from rnnpipe.errors import CorpusError, SettingsError, expected
from rnnpipe.instruments.speed import n_words, up_to


@dataclass(frozen=True)
class Size:
    """words: per round, about. rounds: those that are timed."""

    words: int
    rounds: int


@dataclass(frozen=True)
class Subject:
    """What is measured. batches: to learn from, if there are annotations. docs: to annotate.
    update: one step of training."""

    nlp: Language
    docs: list[Doc]
    batches: list[list[Example]]
    update: Callable[[Sequence[Example]], object]


def of_config(path: Path, overrides: list[str], size: Size) -> Subject:
    """Return a pipeline as it is when its training begins, with the config's own corpora.

    Raises SettingsError and CorpusError: config or corpora cannot be read."""
    training = read_training_config(path, overrides)
    with spacys_errors(path, SettingsError):
        nlp = init_nlp(Config(training.nlp.config))
    settings, train = _resolved(nlp), training.read(training.train)
    # After the dev documents those of train, so that rounds need not be short.
    docs = [example.predicted.copy() for example in [*training.read(training.dev), *train]]
    return _subject(nlp, docs, train, settings, size)


def of_pipeline(model: str, data: Path | None, size: Size) -> Subject:
    """Return a trained pipeline; it is trained on if the data has annotations.

    Raises SettingsError and CorpusError: pipeline or data cannot be read."""
    nlp = load_pipeline(model)
    if data is None:
        do = "Pass a text file, or a .spacy file to measure training as well."
        raise SettingsError(expected("--data", "a data file", "no file", do))
    settings = _resolved(nlp)
    if data.suffix != ".spacy":
        docs = [nlp.make_doc(line) for line in filled_lines(data, "utf-8")]
        return _subject(nlp, docs, [], settings, size)
    with spacys_errors(data, CorpusError):
        gold = list(DocBin().from_disk(data).get_docs(nlp.vocab))
    examples = [Example(_bare(doc), doc) for doc in gold]
    return _subject(nlp, [_bare(doc) for doc in gold], examples, settings, size)


def _resolved(nlp: Language) -> dict[str, Any]:
    return registry.resolve(Config(nlp.config).interpolate()["training"])


def _bare(doc: Doc) -> Doc:
    words, spaces = [token.text for token in doc], [bool(token.whitespace_) for token in doc]
    return Doc(doc.vocab, words=words, spaces=spaces)


def _subject(
    nlp: Language,
    docs: list[Doc],
    examples: list[Example],
    settings: dict[str, Any],
    size: Size,
) -> Subject:
    """What is needed for the rounds, and one more."""
    words = size.words * (size.rounds + 1)
    dropout = settings["dropout"]
    drop = dropout if isinstance(dropout, float) else next(iter(dropout))

    def update(batch: Sequence[Example]) -> object:
        return nlp.update(
            batch,
            drop=drop,
            sgd=settings["optimizer"],
            exclude=settings["frozen_components"],
            annotates=settings["annotating_components"],
        )

    # Round after round over the examples, as in training.
    epochs = (settings["batcher"](examples) for _ in (repeat(0) if examples else ()))
    batches = (list(batch) for epoch in epochs for batch in epoch)
    enough = up_to(batches, words, lambda batch: sum(map(n_words, batch)), least=size.rounds + 1)
    return Subject(nlp, up_to(docs, words, n_words), enough, update)
