"""The curves of a training run as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.pictures import picture, span_at_least
from rnnpipe.instruments.training_log import Series, TrainingLog

#: How many points of a score the picture shows at least.
_POINTS = 10.0


def draw_curves(log: TrainingLog, path: Path, title: str) -> None:
    """Loss and scores; and, where the log has them, gradient norm and learn rate. Every panel over
    the steps of the run."""
    panels = [_draw_losses, _draw_scores]
    if log.norms:
        panels += [_draw_gradients, _draw_learn_rates]
    with picture(path, (9.0, 2.4 * len(panels)), readings.CURVES) as figure:
        figure.suptitle(title)
        axes = figure.subplots(len(panels), 1, sharex=True)
        for axis, draw in zip(axes, panels, strict=True):
            draw(axis, log)
            axis.grid(alpha=0.3)
            axis.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
        axes[-1].set_xlabel("Step")


def _draw_losses(axis: Any, log: TrainingLog) -> None:
    _lines(axis, log, log.losses)
    axis.set_ylabel("Loss per step")
    if all((loss > 0.0).all() for loss in log.losses.values()):
        axis.set_yscale("log")


def _draw_scores(axis: Any, log: TrainingLog) -> None:
    _lines(axis, log, {name: s for name, s in log.scores.items() if name != "speed"})
    axis.plot(log.steps, 100.0 * log.score, color="black", linestyle=":", label="score")
    best = int(log.score.argmax())
    axis.axvline(log.steps[best], color="0.6", linewidth=1.0, label=f"best: step {log.steps[best]}")
    axis.set_ylabel("Scores (%)")
    span_at_least(axis, _POINTS)


def _draw_gradients(axis: Any, log: TrainingLog) -> None:
    for colour, (name, norm) in enumerate(log.norms.items()):
        label = f"{name}: mean, {log.clipped[name].mean():.0%} clipped"
        axis.plot(log.steps, norm, color=f"C{colour}", marker=".", label=label)
        largest = log.largest[name]
        axis.plot(log.steps, largest, color=f"C{colour}", linestyle="--", label=f"{name}: largest")
    axis.set_ylabel("Gradient norm")
    axis.set_yscale("log")


def _draw_learn_rates(axis: Any, log: TrainingLog) -> None:
    _lines(axis, log, log.learn_rates)
    axis.set_ylabel("Learning rate")


def _lines(axis: Any, log: TrainingLog, curves: dict[str, Series]) -> None:
    for name, values in curves.items():
        axis.plot(log.steps, values, marker=".", label=name)
