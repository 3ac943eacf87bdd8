"""A picture of the transition scores of a CRF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import FULL_NATS
from rnnpipe.cli.pictures.pictures import picture
from rnnpipe.instruments.transitions import Transitions

#: The most rows of which the scores are written into the picture.
_WRITTEN = 24
#: The longest side of a picture, in inches.
_LONGEST = 40.0


def draw_transitions(found: Transitions, path: Path, title: str) -> None:
    """A heat map: red is likely, blue unlikely, grey forbidden. The scale is the same for all, so
    that scores that hardly count are pale."""
    written = len(found.scores) <= _WRITTEN
    size = min(_LONGEST, max(6.0, 2.0 + (0.42 if written else 0.2) * len(found.scores)))
    reading = readings.TRANSITIONS_OF_TYPES if found.of_types else readings.TRANSITIONS
    with picture(path, (size + 1.0, size), reading) as figure:
        axes = figure.subplots()
        shown = np.ma.masked_invalid(found.scores)
        forbidden = np.where(np.isinf(found.scores), 0.7, 1.0)
        axes.imshow(forbidden, cmap="gray", vmin=0.0, vmax=1.0)
        image = axes.imshow(shown, cmap="RdBu_r", vmin=-FULL_NATS, vmax=FULL_NATS)
        if written:
            _write(axes, found)
        axes.set_xticks(range(len(found.targets)), found.targets, rotation=90)
        axes.set_yticks(range(len(found.sources)), found.sources)
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("To")
        axes.set_ylabel("From")
        axes.set_title(title)
        for text in (*axes.get_xticklabels(), *axes.get_yticklabels(), axes.title):
            text.set_parse_math(False)  # a dollar does not begin a formula
        label = "Score (nats); grey: forbidden"
        figure.colorbar(image, label=label, shrink=0.8, aspect=30, extend="both")


def _write(axes: Any, found: Transitions) -> None:
    for row, column in np.argwhere(np.isfinite(found.scores)).tolist():
        score = found.scores[row, column]
        colour = "white" if abs(score) > 0.6 * FULL_NATS else "black"
        axes.text(column, row, f"{score:+.1f}", color=colour, ha="center", va="center", size=7)
