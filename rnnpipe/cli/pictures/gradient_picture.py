"""Gradients by time lag as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.pictures import picture
from rnnpipe.instruments.gradients import GradientCurve

#: Where the vertical axis ends: curves that vanish would press the others together.
_LEAST = 1e-6


def draw_gradients(curves: Sequence[GradientCurve], path: Path, title: str) -> None:
    """A curve of each chain, on a logarithmic scale, and bands that hold 80 % of the places."""
    with picture(path, (11.0, 5.5), readings.GRADIENTS) as figure:
        axes = figure.subplots()
        lags = np.arange(1, len(curves[0].norm) + 1)
        unchanged = "as large as at the start"
        axes.axhline(1.0, color="0.5", linestyle="--", linewidth=1.0, label=unchanged)
        for curve in curves:
            (line,) = axes.plot(lags, curve.norm, label=legend(curve))
            axes.fill_between(
                lags, curve.low, curve.high, color=line.get_color(), alpha=0.15, linewidth=0
            )
        axes.set_yscale("log")
        axes.set_ylim(bottom=max(_LEAST, axes.get_ylim()[0]))
        axes.set_xlim(1, len(lags))
        axes.set_xlabel("Time lag k (steps)")
        axes.set_ylabel(
            r"Gradient norm g(k), root mean square of $\|v\,\partial h_T/\partial s_{T-k}\|$"
        )
        axes.set_title(title, parse_math=False)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))


def legend(curve: GradientCurve) -> str:
    """The chain, its largest singular value, and what a step does to the gradient."""
    value = "" if curve.singular_value is None else f", σ₁(U) = {curve.singular_value:.2f}"
    return f"{curve.name}{value}, {curve.per_step:.3f} per step"
