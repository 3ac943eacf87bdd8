"""From a cell to what a config names: the settings of recurrent encoders, written once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, cast, get_type_hints

from rnnpipe.encoders.stack import MakeCell, RecurrentStack
from rnnpipe.errors import SettingsError, expected
from rnnpipe.registry import encoders
from rnnpipe.types import Depth, DropoutRate, EncoderBuilder, PositiveInt, Probability

_SETTINGS = """
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

    Raises SettingsError for a setting that has no effect at depth 1.
"""


def register(
    encoder: type[RecurrentStack], name: str, cell: MakeCell
) -> Callable[..., EncoderBuilder]:
    """Register ``rnnpipe.<name>.v1``: layers of a cell, as an encoder of the given class.

    Its settings are those below and then the cell's own, which are its keyword-only parameters.
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

    shared = list(inspect.signature(make).parameters.values())[:-1]
    parameters = inspect.signature(cell).parameters.values()
    its_own = [parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    make.__signature__ = inspect.Signature(shared + its_own)  # type: ignore[attr-defined]
    typed: Any = cell.__init__ if inspect.isclass(cell) else cell
    hints = get_type_hints(typed, include_extras=True) | get_type_hints(make, include_extras=True)
    make.__annotations__ = {p.name: hints[p.name] for p in shared + its_own}
    make.__module__, make.__name__, make.__qualname__ = encoder.__module__, name, name
    make.__doc__ = f"{inspect.getdoc(cell)}\n\n{inspect.cleandoc(_SETTINGS)}\n"
    return encoders(f"rnnpipe.{name}.v1")(make)


def _refuse(**between_layers: Any) -> None:
    for name, value in between_layers.items():
        if value:
            want = "no such setting at depth 1, where it has no effect"
            do = f"Remove {name}, or set depth to 2 or more."
            raise SettingsError(expected(name, want, value, do))
