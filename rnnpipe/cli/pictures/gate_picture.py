"""The gates of recurrent layers as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.pictures import picture
from rnnpipe.instruments.gates import LEFT, RIGHT, GateUse


def draw_gates(uses: Sequence[GateUse], path: Path, title: str) -> None:
    """For each gate: how often each unit is saturated, above; how its values are spread, below."""
    gates = list(dict.fromkeys(use.gate for use in uses))
    layers = list(dict.fromkeys(use.layer for use in uses))
    with picture(path, (max(6.0, 3.5 * len(gates)), 7.0), readings.GATES) as figure:
        figure.suptitle(title, parse_math=False)
        grid = figure.subplots(2, len(gates), squeeze=False, sharey="row")
        for column, gate in enumerate(gates):
            above, below = grid[:, column]
            above.plot([0.0, 1.0], [1.0, 0.0], color="0.7", linewidth=1.0)
            for use in uses:
                if use.gate == gate:
                    _draw(above, below, use, f"C{layers.index(use.layer)}")
            above.set(title=f"{gate} gate", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
            above.set_xlabel(f"Share of nodes above {RIGHT}")
            below.set_xlabel("Value")
            for axes in (above, below):
                axes.grid(alpha=0.3)
        grid[0, 0].set_ylabel(f"Share of nodes below {LEFT}")
        grid[1, 0].set_ylabel("Share of values")
        grid[0, -1].legend(fontsize="small", loc="upper right")


def _draw(above: Any, below: Any, use: GateUse, colour: str) -> None:
    above.scatter(use.right, use.left, s=14, alpha=0.5, color=colour, linewidth=0, label=use.layer)
    edges = np.linspace(0.0, 1.0, len(use.histogram) + 1)
    below.stairs(use.histogram, edges, color=colour, fill=True, alpha=0.2)
    below.stairs(use.histogram, edges, color=colour)
