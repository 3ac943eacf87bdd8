"""The log of a training run: of ``rnnpipe.Console.v1`` or of spaCy's ``ConsoleLogger.v3``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import CorpusError, expected
from rnnpipe.training.corpora.files import read_lines

#: One value for each evaluation; NaN where there is none.
Series = np.ndarray


@dataclass(frozen=True)
class TrainingLog:
    """What a run looked like at each of its evaluations.

    steps: ``(N,)``. losses: by component, per step: the mean since the evaluation before.
    scores: by name, in percent, but for a speed. score: what they are weighted to, from 0 to 1.
    norms, largest: of a component's gradients before clipping, mean and largest since the
        evaluation before. clipped: the share of steps that were clipped. learn_rates: of each
        component. These four are empty for a log of spaCy's.
    cut: whether the last line is not whole, as that of a run that was stopped.
    """

    steps: Series
    losses: dict[str, Series]
    scores: dict[str, Series]
    score: Series
    norms: dict[str, Series]
    largest: dict[str, Series]
    clipped: dict[str, Series]
    learn_rates: dict[str, Series]
    cut: bool


def read_training_log(path: Path) -> TrainingLog:
    """Raises CorpusError: no such file, no whole line in it, or a line before the last one that is
    none of such a log."""
    lines = [(number, line) for number, line in read_lines(path) if line.strip()]
    records = []
    cut = False
    for number, line in lines:
        record = _record(line)
        if record is not None:
            records.append(record)
        elif number == lines[-1][0] and records:
            cut = True
        else:
            raise _no_log(f"{path}:{number}", line)
    if not records:
        raise _no_log(str(path), "no lines")
    return _log(records, cut)


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(record, dict) and {"step", "losses", "scores", "score"} <= record.keys()
    return record if whole else None


def _no_log(where: str, got: str) -> CorpusError:
    want = "a line of JSON with step, losses, scores and score"
    do = "Pass the file that training.logger.path (or output_file) sets."
    return CorpusError(expected(where, want, got if len(got) <= 60 else got[:60] + "...", do))


def _log(records: list[dict[str, Any]], cut: bool) -> TrainingLog:
    steps = np.array([record["step"] for record in records])
    since = np.diff(steps, prepend=-1)  # the first of all steps is number 0
    losses = _series(records, lambda record: record["losses"])

    def gradient(key: str) -> dict[str, Series]:
        return _series(
            records,
            lambda record: {n: g[key] for n, g in record.get("gradients", {}).items()},
        )

    return TrainingLog(
        steps=steps,
        losses={name: loss / np.maximum(since, 1) for name, loss in losses.items()},
        scores=_series(records, lambda record: record["scores"]),
        score=np.array([record["score"] for record in records]),
        norms=gradient("norm"),
        largest=gradient("largest"),
        clipped=gradient("clipped"),
        learn_rates=gradient("learn_rate"),
        cut=cut,
    )


def _series(
    records: Iterable[dict[str, Any]], values: Callable[[dict[str, Any]], dict[str, float]]
) -> dict[str, Series]:
    rows = [values(record) for record in records]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array(list(_numbers(rows, name))) for name in names}


def _numbers(rows: Iterable[dict[str, float]], name: str) -> Iterator[float]:
    for row in rows:
        value = row.get(name)
        yield float("nan") if value is None else float(value)
