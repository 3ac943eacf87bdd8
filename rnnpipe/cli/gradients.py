"""``spacy rnn gradients``: see :mod:`rnnpipe.instruments.gradients`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from torch import Tensor, nn

from rnnpipe.cli.output import PICTURE, require_output, say_written
from rnnpipe.cli.parts import find_part, short_name
from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.gradient_picture import draw_gradients
from rnnpipe.cli.pipelines import load_pipeline, pipe_with_encoder
from rnnpipe.cli.text import given_text, path_end, text_name
from rnnpipe.errors import SettingsError, expected
from rnnpipe.instruments.encoders import encoder_on_text
from rnnpipe.instruments.gradients import (
    Chain,
    GradientCurve,
    chains,
    fresh_encoder,
    gradient_curve,
)
from rnnpipe.parts.encoders.sequence.stack import RecurrentStack


@dataclass(frozen=True)
class Fresh:
    """An encoder to compare with: its registered name, and settings other than the width."""

    name: str
    settings: dict[str, Any]

    @classmethod
    def parse(cls, text: str) -> Fresh:
        """``GRU:update_bias=4``. Raises SettingsError for another form, or an unknown name."""
        name, *parts = text.split(":")
        settings = {}
        for part in parts:
            setting, equals, value = part.partition("=")
            if not equals:
                want = "NAME or NAME:SETTING=VALUE, such as GRU:update_bias=4"
                raise SettingsError(expected("--encoders", want, text))
            settings[setting] = _value(value)
        return cls(find_part("rnnpipe_encoders", "--encoders", name).name, settings)

    def __str__(self) -> str:
        named = (f"{setting}={value}" for setting, value in self.settings.items())
        return " ".join([short_name(self.name), *named])


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def gradients(
    model: str,
    path: Path | None,
    text: str | None,
    fresh: str,
    compared: Sequence[str],
    output: Path | None,
    force: bool,
    lags: int,
    places: int,
    seed: int,
    limit: int,
    encoding: str,
    component: str | None,
    as_json: bool,
) -> None:
    """Print and draw how gradients change with the time lag.

    fresh: names of encoders. compared: other pipelines, each ``MODEL`` or ``MODEL:COMPONENT``.
    Raises SettingsError, CorpusError and StructureError for what is wrong with the input."""
    require_output(output, force, PICTURE)
    others = [Fresh.parse(name.strip()) for name in fresh.split(",") if name.strip()]
    read = given_text("gradients", path, text, encoding, limit)
    trained = [_trained(*which, read) for which in [(model, component), *map(_split, compared)]]
    found = [chain for which in trained for chain in chains(*which)]
    found += _fresh_chains(*trained[0][1:], others, seed)
    where = "--text" if path is None else str(path)
    curves = [gradient_curve(chain, lags, places, seed, where) for chain in found]
    if as_json:
        print(json.dumps({"curves": [curve.as_json() for curve in curves]}, indent=2))
    else:
        _print(curves)
    if output is not None:
        draw_gradients(curves, output, f"Gradient by time lag on {text_name(path)}")
        say_written(output)


def _split(text: str) -> tuple[str, str | None]:
    """A pipeline and the component in it, if it is named. A colon may also be part of a path."""
    model, colon, component = text.rpartition(":")
    return (model, component) if colon and not {"/", "\\"} & {*component} else (text, None)


def _trained(model: str, component: str | None, text: str) -> tuple[str, nn.Module, Tensor]:
    """A trained encoder under the name of its curve, and what it is given for a text."""
    nlp = load_pipeline(model)
    pipe = pipe_with_encoder(nlp, component)
    return (f"{path_end(model)}:{pipe.name}, trained", *encoder_on_text(nlp, pipe, text))


def _fresh_chains(
    encoder: nn.Module, inputs: Tensor, others: Sequence[Fresh], seed: int
) -> Iterator[Chain]:
    """Of encoders of the width of a trained one, that are given the same."""
    directions = encoder.directions if isinstance(encoder, RecurrentStack) else 1
    width = int(encoder.n_out) // directions  # type: ignore[arg-type]
    for other in others:
        made = fresh_encoder(other.name, inputs.shape[1], width, seed, **other.settings)
        yield from chains(f"{other}, fresh", made, inputs)


def _print(curves: Sequence[GradientCurve]) -> None:
    console = Console(highlight=False)
    lags = len(curves[0].norm)
    shown = np.unique(np.geomspace(1, lags, 3).round().astype(int))
    table = Table(Column("Encoder", overflow="fold"), "σ₁(U)", box=None)
    for heading in (*(f"g({k})" for k in shown), "per step", "half", "1 %"):
        table.add_column(heading, no_wrap=True, justify="right")
    for curve in curves:
        value = "" if curve.singular_value is None else f"{curve.singular_value:.2f}"
        numbers = [f"{curve.norm[k - 1]:.1e}" for k in shown]
        left = [str(curve.lag_of(share) or f"> {lags}") for share in (0.5, 0.01)]
        table.add_row(Text(curve.name), value, *numbers, f"{curve.per_step:.3f}", *left)
    console.print(
        "g(k), the norm of a gradient, 1 where it sets out, that arrives k steps before; "
        "the factor per step; the lag k at which half of g(1), and 1 % of it, are left:"
    )
    console.print(table)
    console.print(readings.GRADIENTS)
