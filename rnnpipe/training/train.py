"""``rnnpipe.train``: spaCy's own training loop for a pipeline and data that Python code has."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import SkipValidation
from spacy.language import DEFAULT_CONFIG, Language
from spacy.training.batchers import minibatch_by_words
from spacy.util import copy_config

from rnnpipe.contracts.settings import checked
from rnnpipe.contracts.types import NonNegativeInt, PositiveFloat, PositiveInt, Probability
from rnnpipe.errors import SettingsError, expected
from rnnpipe.training.components import complete_weights, learning, learns_labels
from rnnpipe.training.data import Data, reader
from rnnpipe.training.run import Evaluation, Run

#: The fewest steps between evaluations, unless they are asked for.
FEWEST_STEPS = 20


@checked("functions", "rnnpipe.train")
def train(
    nlp: Annotated[Language, SkipValidation],
    train: Annotated[Data, SkipValidation],
    dev: Annotated[Data, SkipValidation],
    *,
    output: str | Path | None = None,
    epochs: PositiveInt = 30,
    max_steps: PositiveInt | None = None,
    eval_every: PositiveInt | None = None,
    patience: NonNegativeInt = 10,
    batch_size: PositiveInt = 500,
    learning_rate: PositiveFloat = 0.002,
    dropout: Probability = 0.1,
    seed: NonNegativeInt = 0,
    score_weights: Mapping[str, float] | None = None,
    frozen: Sequence[str] = (),
    annotating: Sequence[str] = (),
    progress: bool = True,
    on_evaluation: Annotated[Callable[[Evaluation], object] | None, SkipValidation] = None,
) -> Language:
    """Train a pipeline in place and return it with the weights that scored best on ``dev``.

    Components without weights are initialised from ``train``; trained ones are trained further.
    ``nlp.config`` becomes the training config of the run: with it, ``spacy train`` makes the same
    weights from the same data. ``nlp.meta["performance"]`` has the scores. Ctrl-C ends training
    early: the pipeline returned is the best so far.

    Args:
        nlp: the pipeline, with its components.
        train, dev: lists of ``Example``, ``Doc`` or ``(text, annotations)``; a ``DocBin``, a
            ``.spacy`` file or a folder of them; or what a registered reader returns.
        output: folder for ``model-best`` and ``model-last``, written at evaluations.
        epochs, max_steps: the most passes over ``train`` and the most steps. Training ends at the
            last evaluation that fits.
        eval_every: steps between evaluations; by default an epoch, or 20 steps where an epoch has
            fewer.
        patience: evaluations without a better score after which training ends; 0 for no end.
        batch_size: words per batch.
        learning_rate: the highest rate of Adam: it rises to that in the first tenth of the steps,
            and then falls to 0.
        dropout: rate for components that have none of their own.
        seed: of weights, dropout and the order of documents.
        score_weights: scores that decide which weights are best, ``{"ents_f": 1.0}``; by default
            those of the components.
        frozen: names of components that stay as they are.
        annotating: names of components whose annotations the later components train on.
        progress: whether to show a table of evaluations and, on a terminal, a bar.
        on_evaluation: called with each :class:`Evaluation`, such as the ``append`` of a list.

    Raises:
        SettingsError: an argument is wrong. Whatever reading the data and training raise.

    """
    _require_kind("nlp", "a spaCy pipeline", nlp, isinstance(nlp, Language))
    callback = on_evaluation is None or callable(on_evaluation)
    _require_kind("on_evaluation", "a function of an Evaluation", on_evaluation, callback)
    folder = None if output is None else _writable(Path(output))
    learners = learning(nlp, frozen, annotating)
    needs_annotation = any(map(learns_labels, learners.values()))
    readers = {
        "train": reader("train", train, nlp, needs_annotation),
        "dev": reader("dev", dev, nlp, needs_annotation),
    }
    per_epoch = _count("train", minibatch_by_words(readers["train"](nlp), batch_size))
    _count("dev", readers["dev"](nlp))
    steps = min(epochs * per_epoch, max_steps or sys.maxsize)
    # Training ends with an evaluation: what came after the last one would be lost.
    every = eval_every or steps // max(1, steps // max(per_epoch, FEWEST_STEPS))
    every = min(every, steps)
    steps -= steps % every
    settings = {
        "seed": seed,
        "dropout": dropout,
        "max_steps": steps,
        "eval_frequency": every,
        "patience": patience * every,
        "score_weights": complete_weights(nlp, score_weights),
        "frozen_components": list(frozen),
        "annotating_components": list(annotating),
        "batcher": _batcher(batch_size),
        "optimizer": _adam(learning_rate, steps),
        "logger": {"@loggers": "rnnpipe.Console.v1"},
    }
    _configure(nlp, settings, {"train": train, "dev": dev})
    counting = [key for key, weight in (score_weights or {}).items() if weight]
    run = Run(nlp, readers["train"], readers["dev"], frozen, counting)
    run.initialize(learners)
    run.train(folder, progress, on_evaluation)
    return nlp


def _require_kind(where: str, want: str, got: object, good: bool) -> None:
    if not good:
        raise SettingsError(expected(where, want, got))


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        got, do = f"{folder}: {error.strerror}", "Choose another folder."
        raise SettingsError(expected("output", "a writable folder", got, do)) from None
    return folder


def _count(where: str, items: Iterable[object]) -> int:
    """Raises SettingsError if there are none."""
    n = sum(1 for _ in items)
    if not n:
        do = "Check the data and the path."
        raise SettingsError(expected(where, "at least one document", "no documents", do))
    return n


def _batcher(size: int) -> dict[str, Any]:
    return {
        "@batchers": "spacy.batch_by_words.v1",
        "size": size,
        "tolerance": 0.2,
        "discard_oversize": False,
    }


def _adam(learning_rate: float, steps: int) -> dict[str, Any]:
    """SpaCy's default optimizer, with averages and a schedule."""
    return {
        **DEFAULT_CONFIG["training"]["optimizer"],
        "use_averages": True,
        "learn_rate": {
            "@schedules": "warmup_linear.v1",
            "initial_rate": learning_rate,
            "warmup_steps": max(1, steps // 10),
            "total_steps": steps,
        },
    }


def _configure(nlp: Language, settings: Mapping[str, Any], data: Mapping[str, Data]) -> None:
    """Make the pipeline's config that of this run; nothing is left of an earlier run's."""
    default = copy_config(DEFAULT_CONFIG)
    nlp.config["training"] = {**default["training"], **settings}
    nlp.config["corpora"] = default["corpora"]
    paths = {name: str(x) if isinstance(x, str | Path) else None for name, x in data.items()}
    nlp.config["paths"] = {**nlp.config["paths"], **paths}
