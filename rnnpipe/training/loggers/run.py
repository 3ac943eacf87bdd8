"""A training run as it goes on: what is measured, and where it is told."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import asdict
from typing import IO, Any

from spacy.language import Language

from rnnpipe.training.loggers.terminal import Bar, Table, duration, number, share
from rnnpipe.training.loggers.watch import Gradients, Watch


class Run:
    """A training run, and where it is told; ``None``: not there."""

    def __init__(
        self, nlp: Language, rows: IO[str] | None, bar: IO[str] | None, file: IO[str] | None
    ) -> None:
        training = nlp.config.interpolate()["training"]
        self._max_steps: int = training["max_steps"]
        weights = training["score_weights"]
        self._scores = [key for key, weight in weights.items() if weight is not None]
        self._pipes = [name for name, p in nlp.pipeline if getattr(p, "is_trainable", False)]
        self._watch = Watch(nlp)
        self._words = self._steps = 0
        self._table = None if rows is None else Table(rows, self._columns())
        self._bar = None if bar is None else Bar(bar, self._max_steps or None)
        self._file = file

    def step(self, info: dict[str, Any] | None) -> None:
        self._watch.step(evaluated=info is not None)
        if info is None:
            if self._bar is not None:
                self._bar.move(self._steps + self._watch.interval.steps, self._hint())
            return
        record = self._record(info)
        with nullcontext() if self._bar is None else self._bar.aside():
            if self._table is not None:
                self._table.row(self._cells(record))
        if self._file is not None:
            print(json.dumps(record), file=self._file, flush=True)
        self._words, self._steps = info["words"], info["step"] + 1
        self._watch.begin_interval()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        if self._file is not None:
            self._file.close()

    def _record(self, info: dict[str, Any]) -> dict[str, Any]:
        """All that is known at an evaluation. Scores are times 100, as spaCy has them, but for
        the one that they are weighted to, and for the speed."""
        step, scores, interval = info["step"], info["other_scores"], self._watch.interval
        steps = step + 1 - self._steps
        return {
            "epoch": info["epoch"],
            "step": step,
            "losses": {name: float(info["losses"].get(name, 0.0)) for name in self._pipes},
            "scores": {key: _percent(key, scores.get(key, 0.0)) for key in self._scores},
            "score": float(info["score"]),
            "words": info["words"],
            "seconds": self._watch.seconds,
            "words_per_second": interval.words_per_second(info["words"] - self._words, steps),
            "seconds_left": self._left(step + 1),
            "gradients": {name: asdict(g) for name, g in interval.gradients.items()},
        }

    def _left(self, steps: int) -> float | None:
        """Of the whole run, going on as before; the first of its steps is number 0."""
        if not self._max_steps:
            return None
        return max(0, self._max_steps + 1 - steps) * self._watch.seconds / steps

    def _columns(self) -> dict[str, int]:
        widths = {"E": 3, "#": 6}
        for pipe in self._pipes:
            widths[f"Loss {pipe}"] = 8
            if pipe in self._watch.watched:
                widths |= {f"Norm {pipe}": 6, f"Clip {pipe}": 4}
        return widths | dict.fromkeys(self._scores, 6) | {"Score": 6, "W/s": 6, "Left": 7}

    def _cells(self, record: dict[str, Any]) -> list[str]:
        cells = [str(record["epoch"]), str(record["step"])]
        for pipe in self._pipes:
            cells.append(f"{record['losses'][pipe]:.2f}")
            if pipe in self._watch.watched:
                gradients = record["gradients"].get(pipe, {})
                cells += [number(gradients.get("norm")), share(gradients.get("clipped"))]
        cells += [f"{score:.2f}" for score in record["scores"].values()]
        speed = record["words_per_second"]
        left = duration(record["seconds_left"])
        return [*cells, f"{record['score']:.2f}", "-" if speed is None else f"{speed:.0f}", left]

    def _hint(self) -> str:
        """What stands beside the bar."""
        gradients = self._watch.interval.gradients
        parts = [_gradient(name, g, len(gradients) > 1) for name, g in gradients.items()]
        left = self._left(self._steps + self._watch.interval.steps)
        return ", ".join([*parts, f"{duration(left)} left" if left is not None else ""]).strip(", ")


def _percent(key: str, score: Any) -> float:
    return float(score) * (1.0 if key == "speed" else 100.0)


def _gradient(name: str, gradients: Gradients, several: bool) -> str:
    of = f" of {name}" if several else ""
    return f"gradient norm{of} {number(gradients.norm)}, {share(gradients.clipped)} clipped"
