"""What happens between two evaluations of a training run: its speed and its gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from spacy.language import Language
from thinc.api import Model

from rnnpipe.shim.optimizer_step import StepReport
from rnnpipe.shim.torch_shim import TorchShim


@dataclass
class Gradients:
    """Of one component, over some steps.

    norm: the mean over steps of the norm of all its gradients together, before clipping.
    largest: of these norms. clipped: the share of steps that were clipped.
    learn_rate: of the last step.
    """

    steps: int = 0
    norm: float = 0.0
    largest: float = 0.0
    clipped: float = 0.0
    learn_rate: float = 0.0

    def add(self, reports: list[StepReport]) -> None:
        """One more step; a component may have several torch modules."""
        norm = math.hypot(*(report.gradient_norm for report in reports))
        was_clipped = any(report.scale > 1.0 for report in reports)
        self.steps += 1
        self.norm += (norm - self.norm) / self.steps
        self.largest = max(self.largest, norm)
        self.clipped += (was_clipped - self.clipped) / self.steps
        self.learn_rate = reports[-1].learn_rate


@dataclass
class Interval:
    """Since the last evaluation.

    seconds: spent on training, without evaluating and saving. steps: that these seconds cover.
    """

    seconds: float = 0.0
    steps: int = 0
    gradients: dict[str, Gradients] = field(default_factory=dict)

    def words_per_second(self, words: int, steps: int) -> float | None:
        """Of so many words in so many steps; ``None`` if none of them was timed."""
        if not self.seconds:
            return None
        return words * (self.steps / steps) / self.seconds


class Watch:
    """Follows a training run from step to step.

    The numbers of a gradient are those that the optimizer has computed anyway, so that watching
    makes no device wait. Components without a torch module of ours have none.
    """

    def __init__(self, nlp: Language, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        modules = {name: list(_shims(pipe)) for name, pipe in nlp.pipeline}
        self._shims = {name: shims for name, shims in modules.items() if shims}
        self._seen: dict[str, StepReport] = {}
        self._start = self._before = clock()
        self.interval = Interval()

    @property
    def watched(self) -> list[str]:
        """The components that have gradients to tell of."""
        return list(self._shims)

    @property
    def seconds(self) -> float:
        """Since the run began, evaluations included."""
        return self._clock() - self._start

    def step(self, evaluated: bool) -> None:
        """A step has been done. evaluated: and an evaluation, which is not counted as training."""
        if not evaluated:
            self.interval.seconds += self._clock() - self._before
            self.interval.steps += 1
        for name, shims in self._shims.items():
            reports = [shim.last_step for shim in shims if shim.last_step is not None]
            if reports and reports[-1] is not self._seen.get(name):
                self._seen[name] = reports[-1]
                self.interval.gradients.setdefault(name, Gradients()).add(reports)
        self._before = self._clock()

    def begin_interval(self) -> None:
        """After an evaluation."""
        self.interval = Interval()
        self._before = self._clock()


def _shims(pipe: Any) -> Iterator[TorchShim]:
    model = getattr(pipe, "model", None)
    for layer in model.walk() if isinstance(model, Model) else ():
        yield from (shim for shim in layer.shims if isinstance(shim, TorchShim))
