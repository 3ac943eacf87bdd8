"""Whether the gates of recurrent layers are open or shut.

After Karpathy, Johnson and Li (2015), Visualizing and Understanding Recurrent Networks. A gate is
*left-saturated* where it is below 0.1, and *right-saturated* where it is above 0.9. For each unit
of each gate of a layer, over the N nodes of a text::

    left = |{t : gate_t < 0.1}| / N,    right = |{t : gate_t > 0.9}| / N

A forget gate that is right-saturated nearly always is a unit that remembers for long; one that is
left-saturated nearly always, a unit that computes from its inputs alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.errors import SettingsError, expected
from rnnpipe.instruments.encoders import layer_inputs
from rnnpipe.parts.encoders.sequence.cell import Cell, run_steps
from rnnpipe.parts.encoders.sequence.stack import RecurrentStack
from rnnpipe.parts.encoders.sequence.steps import Steps
from rnnpipe.structures import Sequences

#: Below, and above, a gate is saturated.
LEFT, RIGHT = 0.1, 0.9
#: Ranges of equal width, into which the values of a gate are counted.
_RANGES = 20


@dataclass(frozen=True)
class GateUse:
    """One gate of one layer (and direction), over a text.

    layer: its name. gate: the gate's.
    left, right: ``(width,)``: for each unit, the share of nodes at which it is saturated.
    mean: of all values.
    histogram: ``(20,)``, the share of all values in each twentieth of [0, 1].
    """

    layer: str
    gate: str
    left: np.ndarray
    right: np.ndarray
    mean: float
    histogram: np.ndarray

    @classmethod
    def of(cls, layer: str, gate: str, values: np.ndarray) -> GateUse:
        """values: ``(N, width)``."""
        counts, _ = np.histogram(values, bins=_RANGES, range=(0.0, 1.0))
        left, right = (values < LEFT).mean(0), (values > RIGHT).mean(0)
        return cls(layer, gate, left, right, float(values.mean()), counts / values.size)

    def as_json(self) -> dict[str, Any]:
        return {
            "layer": self.layer,
            "gate": self.gate,
            "mean": self.mean,
            "left": self.left.tolist(),
            "right": self.right.tolist(),
            "histogram": self.histogram.tolist(),
        }


def gate_uses(encoder: nn.Module, inputs: Tensor, where: str) -> list[GateUse]:
    """Of all gates of all layers, the lowest layer first.

    inputs: ``(N, D)``, a node at least. where: the encoder's name, for errors.
    RAISES: SettingsError if the encoder does not consist of layers with gates.
    """
    found = list(_all_uses(encoder, inputs)) if isinstance(encoder, RecurrentStack) else []
    if not found:
        got = type(encoder).__name__
        if isinstance(encoder, RecurrentStack):
            got = type(encoder.layers[0]).__name__
        do = "Use a pipeline with rnnpipe.LSTM.v1, rnnpipe.GRU.v1 or one of their variants."
        raise SettingsError(expected(where, "layers with gated cells", got, do))
    return found


def _all_uses(stack: RecurrentStack, inputs: Tensor) -> Iterator[GateUse]:
    for number, x in enumerate(layer_inputs(stack, inputs)):
        for gate, values in gate_values(stack.layers[number], x).items():
            ways = ("",) if len(values) == 1 else (", forward", ", backward")
            for way, of_way in zip(ways, values.float().numpy(), strict=True):
                yield GateUse.of(f"layer {number}{way}", gate, of_way)


def gate_values(cell: Cell, x: Tensor) -> dict[str, Tensor]:
    """Every gate of a layer over a text, step by step, whatever faster way the layer has.

    x: ``(N, n_in)``. RETURNS: ``(directions, N, width)`` each, in the order in which it is read.
    """
    seen: dict[str, list[Tensor]] = defaultdict(list)
    rows = torch.stack([x, x.flip(0)][: cell.directions])
    with torch.no_grad(), cell.watched(lambda name, value: seen[name].append(value)):
        run_steps(cell, rows, cell.initial(1), Steps.of(Sequences.of([len(x)])))
    return {name: torch.cat(values, dim=1) for name, values in seen.items()}
