"""``spacy rnn bench``: how fast a pipeline is, on this machine and on one's own data."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.util import registry
from thinc.api import Config

from rnnpipe.cli.output import say
from rnnpipe.cli.pipelines import load_pipeline
from rnnpipe.cli.text import filled_lines
from rnnpipe.cli.training_config import read_training_config, spacys_errors
from rnnpipe.errors import CorpusError, SettingsError, expected
from rnnpipe.instruments.speed import (
    Speed,
    n_words,
    peak_memory,
    prediction_speed,
    training_speed,
    up_to,
)

#: A spread of the rounds above which the numbers are not to be relied upon.
_NOISY = 0.2


@dataclass(frozen=True)
class Subject:
    """What is measured. batches: to learn from, if there are annotations. docs: to annotate.
    update: one step of training."""

    nlp: Language
    docs: list[Doc]
    batches: list[list[Example]]
    update: Callable[[Sequence[Example]], object]


def bench(
    target: Path, data: Path | None, words: int, rounds: int, as_json: bool, overrides: list[str]
) -> None:
    """Print the speed of training and prediction.

    words: of each round, about. Raises SettingsError and CorpusError: target or data cannot be
    read, or there is too little of them."""
    if target.is_file():
        subject = _of_config(target, overrides, words, rounds)
    else:
        subject = _of_pipeline(str(target), data, words, rounds)
    if len(subject.docs) <= rounds:
        want, do = f"at least {rounds + 1} documents", "Give more data, or fewer --rounds."
        raise CorpusError(expected("bench", want, len(subject.docs), do))
    speeds = {}
    if subject.batches:
        speeds["training"] = training_speed(subject.batches, subject.update, rounds)
    speeds["prediction"] = prediction_speed(subject.nlp, subject.docs, rounds)
    memory = peak_memory()
    if as_json:
        measured = {name: speed.as_json() for name, speed in speeds.items()}
        where = {"device": _device(), "threads": torch.get_num_threads(), "peak_bytes": memory}
        print(json.dumps(measured | where, indent=2))
    else:
        Console(highlight=False).print(_table(speeds))
        held = "" if memory is None else f", at most {memory / 2**20:.0f} MiB held"
        print(f"On {_device()}, torch with {torch.get_num_threads()} threads{held}")
    for name, speed in speeds.items():
        if speed.spread > _NOISY:
            say(
                f"The rounds of {name} differ by {speed.spread:.0%}: this machine does other work, "
                "or they are short. --words makes them longer."
            )


def _of_config(path: Path, overrides: list[str], words: int, rounds: int) -> Subject:
    """A pipeline as it is when its training begins, on the config's own corpora."""
    training = read_training_config(path, overrides)
    with spacys_errors(path, SettingsError):
        nlp = init_nlp(Config(training.nlp.config))
    settings, train = _resolved(nlp), training.read(training.train)
    # After the dev documents those of train, so that rounds need not be short.
    docs = [example.predicted.copy() for example in [*training.read(training.dev), *train]]
    return _subject(nlp, docs, train, settings, words, rounds)


def _of_pipeline(model: str, data: Path | None, words: int, rounds: int) -> Subject:
    """A trained pipeline; it is trained on if the data has annotations."""
    nlp = load_pipeline(model)
    if data is None:
        do = "Name a text file, or a .spacy file to measure training, too."
        raise SettingsError(expected("--data", "a file to read", "no file", do))
    settings = _resolved(nlp)
    if data.suffix != ".spacy":
        docs = [nlp.make_doc(line) for line in filled_lines(data, "utf-8")]
        return _subject(nlp, docs, [], settings, words, rounds)
    with spacys_errors(data, CorpusError):
        gold = list(DocBin().from_disk(data).get_docs(nlp.vocab))
    examples = [Example(_bare(doc), doc) for doc in gold]
    return _subject(nlp, [_bare(doc) for doc in gold], examples, settings, words, rounds)


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
    words: int,
    rounds: int,
) -> Subject:
    """What is needed for so many rounds of so many words, and one more."""
    words *= rounds + 1
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
    enough = up_to(batches, words, lambda batch: sum(map(n_words, batch)), least=rounds + 1)
    return Subject(nlp, up_to(docs, words, n_words), enough, update)


def _device() -> str:
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "the CPU"


def _table(speeds: dict[str, Speed]) -> Table:
    table = Table("", "Words a second", "Slowest", "Fastest", "Rounds", "Words in each", box=None)
    for name, speed in speeds.items():
        rates = (speed.median, min(speed.rates), max(speed.rates))
        numbers = (len(speed.words), sum(speed.words) / len(speed.words))
        table.add_row(name, *(f"{number:.0f}" for number in (*rates, *numbers)))
    return table
