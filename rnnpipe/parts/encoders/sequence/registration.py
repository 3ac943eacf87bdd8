"""From a cell to what a config names: the settings of recurrent encoders, written once.

A plugin registers encoders of a cell of its own in two lines::

    QRNN = register(Recurrent, "acme.QRNN.v1", QRNNCell)
    BiQRNN = register(Bidirectional, "acme.BiQRNN.v1", QRNNCell)
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, cast, get_type_hints

from rnnpipe.contracts.registry import encoders
from rnnpipe.contracts.types import Depth, DropoutRate, EncoderBuilder, PositiveInt, Probability
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.encoders.sequence.cell import Dense
from rnnpipe.parts.encoders.sequence.stack import MakeCell, RecurrentStack

_SETTINGS = {
    "width": "of each direction; a bidirectional encoder's states are twice as wide.",
    "depth": "how many layers.",
    "dropout": "between layers; None: the training loop's rate.",
    "locked": "that dropout has one mask for all steps of a document (Gal and Ghahramani 2016).",
    "recurrent_dropout": (
        "of the state on its way to the next step; one mask for all steps (ibid.)."
    ),
    "weight_dropout": (
        "of single recurrent weights; one mask for all steps and documents of a batch\n"
        "    (Merity et al. 2017)."
    ),
    "skip": "layers above the first read the nodes too, beside the states of the layer below.",
    "residual": "layers above the first add the states of the layer below to their own.",
    "layer_norm": "layer normalisation inside the cell (Ba et al. 2016).",
}
#: What a cell without recurrent matrices has nothing to do with.
_RECURRENT = ("recurrent_dropout", "weight_dropout")


def register(
    encoder: type[RecurrentStack], name: str, cell: MakeCell
) -> Callable[..., EncoderBuilder]:
    """Register layers of a cell as an encoder, in the name of the module that calls it.

    encoder: ``Recurrent`` or ``Bidirectional``.
    name: how configs name it, ``"acme.QRNN.v1"``.
    cell: its class, or a function that makes one. The keyword-only parameters of the function, or
        of the class's :meth:`~rnnpipe.parts.encoders.sequence.cell.Cell.setup`, are settings, too,
        and the docstring explains them.
    """

    def make(
        width: PositiveInt,
        depth: Depth = 1,
        dropout: DropoutRate = None,
        locked: bool = False,
        recurrent_dropout: Probability = 0.0,
        weight_dropout: Probability = 0.0,
        skip: bool = False,
        residual: bool = False,
        layer_norm: bool = False,
        **own: Any,
    ) -> EncoderBuilder:
        if depth == 1:
            _refuse(dropout=dropout, locked=locked, skip=skip, residual=residual)
        builder = functools.partial(
            encoder,
            cell=functools.partial(cell, **own),
            width=width,
            depth=depth,
            dropout=dropout,
            locked=locked,
            recurrent_dropout=recurrent_dropout,
            weight_dropout=weight_dropout,
            skip=skip,
            residual=residual,
            layer_norm=layer_norm,
        )
        return cast(EncoderBuilder, builder)

    none = getattr(cell, "recurrence", Dense) is None
    shared = [
        parameter
        for parameter in inspect.signature(make).parameters.values()
        if parameter.name in _SETTINGS and not (none and parameter.name in _RECURRENT)
    ]
    typed: Any = getattr(cell, "setup", cell)
    parameters = inspect.signature(typed).parameters.values()
    its_own = [parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    make.__signature__ = inspect.Signature(shared + its_own)  # type: ignore[attr-defined]
    hints = get_type_hints(typed, include_extras=True) | get_type_hints(make, include_extras=True)
    make.__annotations__ = {p.name: hints[p.name] for p in shared + its_own}
    make.__module__ = sys._getframe(1).f_globals["__name__"]  # as namedtuple and Enum do
    make.__name__ = make.__qualname__ = name.rsplit(".", 2)[-2]
    make.__doc__ = _doc(cell, [parameter.name for parameter in shared])
    return encoders(name)(make)


def _doc(cell: MakeCell, settings: list[str]) -> str:
    lines = [f"{name}: {_SETTINGS[name]}" for name in settings]
    end = "Raises SettingsError for a setting that has no effect at depth 1."
    return "\n\n".join([inspect.getdoc(cell) or "", "\n".join(lines), end]) + "\n"


def _refuse(**between_layers: Any) -> None:
    for name, value in between_layers.items():
        if value:
            want = "no such setting at depth 1, where it has no effect"
            do = f"Remove {name}, or set depth to 2 or more."
            raise SettingsError(expected(name, want, value, do))
