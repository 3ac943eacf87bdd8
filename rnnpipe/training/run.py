"""A training run by spaCy's loop, which keeps the best weights in memory and in a folder."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training.loop import (
    DIR_MODEL_BEST,
    DIR_MODEL_LAST,
    create_evaluation_callback,
    create_train_batches,
    train_while_improving,
    update_meta,
)
from spacy.util import registry
from thinc.api import fix_random_seed

from rnnpipe.contracts.compat import forget_batch, link_listeners
from rnnpipe.errors import SettingsError, expected
from rnnpipe.training.components import is_trained
from rnnpipe.training.data import Reader

#: The settings of ``[initialize]`` that make a vocabulary, which a trained pipeline has.
_OF_VOCABULARY = ("vectors", "init_tok2vec", "vocab_data", "lookups", "before_init", "after_init")


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation during training has shown.

    losses: per component, summed over the steps since the evaluation before.
    score: the weighted sum of the scores that count. scores: all that ``nlp.evaluate`` gives.
    seconds: since training began.
    best: whether no evaluation before had a higher score.
    """

    epoch: int
    step: int
    losses: Mapping[str, float]
    score: float
    scores: Mapping[str, Any]
    seconds: int
    best: bool


class Run:
    """What ``spacy train`` does with a pipeline whose config is complete, step by step.

    frozen: names of components that are not trained.
    scores: names of scores that each evaluation must give.
    """

    def __init__(
        self,
        nlp: Language,
        train: Reader,
        dev: Reader,
        frozen: Sequence[str],
        scores: Collection[str],
    ) -> None:
        self._nlp = nlp
        self._train = train
        self._dev = dev
        self._frozen = frozen
        self._scores = scores
        settings = nlp.config.interpolate()["training"]
        fix_random_seed(settings["seed"])
        self._settings = registry.resolve(settings, schema=ConfigSchemaTraining)
        self._optimizer = self._settings["optimizer"]
        #: The best pipeline so far; what never changes is left out.
        self._best: bytes | None = None
        self._unchanged = ["vocab", "tokenizer", "config.cfg", *frozen]

    def initialize(self, learners: Mapping[str, Any]) -> None:
        """Make the weights of the components that have none; go on with those of the others."""
        nlp, block = self._nlp, self._nlp.config["initialize"]
        resumed = [name for name, pipe in learners.items() if is_trained(pipe)]
        if resumed:
            with nlp.select_pipes(enable=resumed):
                nlp.resume_training(sgd=self._optimizer)
        if resumed or self._frozen:
            nlp.config["initialize"] = {**block, **dict.fromkeys(_OF_VOCABULARY)}
        for name in self._frozen:
            # Listeners that were trained before in this process still wait for that run's batch,
            # where they should read what the frozen component writes on the documents.
            for listener in getattr(nlp.get_pipe(name), "listeners", ()):
                forget_batch(listener)
        link_listeners(nlp)  # before sizes are measured
        try:
            with nlp.select_pipes(disable=[*self._frozen, *resumed]):
                nlp.initialize(lambda: self._train(nlp), sgd=self._optimizer)
        finally:
            nlp.config["initialize"] = block

    def train(
        self,
        output: Path | None,
        progress: bool,
        tell: Callable[[Evaluation], object] | None,
    ) -> None:
        """Train, and leave the pipeline with the best weights, also when Ctrl-C ends training."""
        log, close = self._logger(progress)
        try:
            for _, info, best in self._steps():
                if best is not None:
                    if self._best is None:
                        self._require_scores(info["other_scores"])
                    update_meta(self._settings, self._nlp, info)
                    self._keep(best, output)
                log(None if best is None else info)
                if tell is not None and best is not None:
                    tell(_evaluation(info, best))
        except KeyboardInterrupt:
            if self._best is None:
                raise
        finally:
            close()
            if self._best is not None:
                self._nlp.from_bytes(self._best, exclude=self._unchanged)

    def _steps(self) -> Any:
        nlp, T = self._nlp, self._settings
        fix_random_seed(T["seed"])
        return train_while_improving(
            nlp,
            self._optimizer,
            create_train_batches(nlp, self._train, T["batcher"], T["max_epochs"]),
            create_evaluation_callback(nlp, self._dev, T["score_weights"]),
            dropout=T["dropout"],
            accumulate_gradient=T["accumulate_gradient"],
            patience=T["patience"],
            max_steps=T["max_steps"],
            eval_frequency=T["eval_frequency"],
            exclude=T["frozen_components"],
            annotating_components=T["annotating_components"],
            before_update=T["before_update"],
        )

    def _logger(self, progress: bool) -> tuple[Callable[..., None], Callable[[], None]]:
        if not progress:
            return (lambda info: None), (lambda: None)
        with self._nlp.select_pipes(disable=self._frozen):
            callbacks: tuple[Callable[..., None], Callable[[], None]]
            callbacks = self._settings["logger"](self._nlp, sys.stdout, sys.stderr)
            return callbacks

    def _require_scores(self, scores: Mapping[str, Any]) -> None:
        """Raises SettingsError if a score is missing that says which weights are best."""
        wanted = {key for key, weight in self._settings["score_weights"].items() if weight}
        if not wanted:
            do = "Set score_weights={'ents_f': 1.0}, for instance."
            raise SettingsError(expected("score_weights", "a score with a weight", "no scores", do))
        missing = set(self._scores) - scores.keys()
        if not wanted & scores.keys():
            missing = missing or wanted
        if missing:
            names = ", ".join(sorted(missing))
            got = f"no such score in {', '.join(sorted(scores))}"
            do = "Check score_weights, and that dev has the annotation that is scored."
            raise SettingsError(expected("score_weights", f"scores for {names}", got, do))

    def _keep(self, best: bool, output: Path | None) -> None:
        with self._nlp.use_params(self._optimizer.averages):
            if best:
                self._best = self._nlp.to_bytes(exclude=self._unchanged)
            if output is not None:
                _replace(output / DIR_MODEL_LAST, self._nlp.to_disk)
        if best and output is not None:
            _replace(output / DIR_MODEL_BEST, partial(shutil.copytree, output / DIR_MODEL_LAST))


def _evaluation(info: Mapping[str, Any], best: bool) -> Evaluation:
    return Evaluation(
        epoch=info["epoch"],
        step=info["step"],
        losses={name: float(loss) for name, loss in info["losses"].items()},
        score=float(info["score"]),
        scores=dict(info["other_scores"]),
        seconds=info["seconds"],
        best=best,
    )


def _replace(folder: Path, write: Callable[[Path], object]) -> None:
    """Write a folder in whole, so that no interrupted run leaves half of one."""
    with TemporaryDirectory(prefix=f"{folder.name}.unfinished-", dir=folder.parent) as scratch:
        write(Path(scratch) / "new")
        if folder.exists():
            os.replace(folder, Path(scratch) / "old")
        os.replace(Path(scratch) / "new", folder)
