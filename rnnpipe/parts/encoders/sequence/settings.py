"""The settings of recurrent encoders: those of all, and those that some cells add."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ClassVar, Literal

from rnnpipe.contracts.types import Depth, DropoutRate, PositiveInt, Probability
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.encoders.sequence.cell import Cell

#: Makes the cell of one layer: ``cell(n_in, width, directions, layer_norm)``.
MakeCell = Callable[[int, int, int, bool], Cell]


@dataclass(frozen=True)
class RecurrentSettings:
    """Layers of one cell.

    width: of each direction; a bidirectional encoder's states are twice as wide.
    depth: how many layers.
    dropout: between layers; None: the training loop's rate.
    locked: that dropout has one mask for all steps of a document (Gal and Ghahramani 2016).
    recurrent_dropout: of the state on its way to the next step; one mask for all steps (ibid.).
    weight_dropout: of single recurrent weights; one mask for all steps and documents of a batch
        (Merity et al. 2017).
    skip: layers above the first read the nodes too, beside the states of the layer below.
    residual: layers above the first add the states of the layer below to their own.
    layer_norm: layer normalisation inside the cell (Ba et al. 2016).

    Raises:
        SettingsError: a setting has no effect at depth 1.
    """

    width: PositiveInt
    depth: Depth = 1
    dropout: DropoutRate = None
    locked: bool = False
    recurrent_dropout: Probability = 0.0
    weight_dropout: Probability = 0.0
    skip: bool = False
    residual: bool = False
    layer_norm: bool = False

    #: The cell of a registered encoder. Fields of the encoder's own are settings of its cell.
    cell: ClassVar[MakeCell]

    def __init_subclass__(cls) -> None:
        if "cell" in vars(cls):
            cls.__doc__ = document(cls.cell)

    def __post_init__(self) -> None:
        for name in ("dropout", "locked", "skip", "residual"):
            if self.depth == 1 and (value := getattr(self, name)):
                want = "no such setting at depth 1, where it has no effect"
                do = f"Remove {name}, or set depth to 2 or more."
                raise SettingsError(expected(name, want, value, do))

    @property
    def make_cell(self) -> MakeCell:
        shared = RecurrentSettings.__dataclass_fields__
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in shared}
        return functools.partial(type(self).cell, **own)


def document(cell: MakeCell, unused: tuple[str, ...] = ()) -> str:
    """Return the equation of a cell, then what the settings mean, without the ``unused`` ones."""
    _, settings, end = (inspect.getdoc(RecurrentSettings) or "").split("\n\n")
    lines = settings.replace("\n    ", "\0").split("\n")
    used = [line.replace("\0", "\n    ") for line in lines if line.split(":")[0] not in unused]
    return "\n\n".join([inspect.getdoc(cell) or "", "\n".join(used), end]) + "\n"


@dataclass(frozen=True)
class WithForgetBias(RecurrentSettings):
    forget_bias: float = 1.0


@dataclass(frozen=True)
class WithNonlinearity(RecurrentSettings):
    nonlinearity: Literal["tanh", "relu"] = "tanh"


@dataclass(frozen=True)
class WithRecurrentInit(WithNonlinearity):
    recurrent_init: Literal["orthogonal", "uniform"] = "orthogonal"


@dataclass(frozen=True)
class WithUpdateBias(RecurrentSettings):
    update_bias: float = 0.0


@dataclass(frozen=True)
class WithReset(RecurrentSettings):
    reset: Literal["before", "after"] = "after"
    update_bias: float = 0.0
