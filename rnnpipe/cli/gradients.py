"""``spacy rnn gradients``: see :mod:`rnnpipe.instruments.gradients`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnnpipe.cli.options import (
    Component,
    Encoding,
    Force,
    Json,
    Limit,
    Picture,
    Pipeline,
    TextGiven,
    TextTyped,
)
from rnnpipe.cli.pictures import readings

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rnnpipe.instruments.gradients import Chain, GradientCurve


@dataclass(frozen=True)
class Fresh:
    """An encoder to compare with: its registered name, and settings other than the width."""

    name: str
    settings: dict[str, Any]

    @classmethod
    def parse(cls, text: str) -> Fresh:
        """``GRU:update_bias=4``. Raises SettingsError for another form, or an unknown name."""
        from rnnpipe.cli.parts import find_part
        from rnnpipe.errors import SettingsError, expected

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
        from rnnpipe.cli.parts import short_name

        named = (f"{setting}={value}" for setting, value in self.settings.items())
        return " ".join([short_name(self.name), *named])


def _value(text: str) -> Any:
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text


def gradients(
    model: Pipeline,
    file: TextGiven = None,
    text: TextTyped = None,
    encoders: Annotated[
        str,
        typer.Option(
            metavar="NAME[:SETTING=VALUE],...",
            help="Registered names of untrained encoders of the same width to compare with",
        ),
    ] = "RNN:recurrent_init=uniform,RNN,GRU:update_bias=4,LSTM:forget_bias=4",
    compare: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL[:COMPONENT]",
            help="Trained pipeline to compare with; can be given several times",
        ),
    ] = None,
    output: Picture = None,
    force: Force = False,
    lags: Annotated[int, typer.Option(min=2, help="Maximum time lag, in steps")] = 50,
    places: Annotated[
        int, typer.Option(min=1, help="Number of positions in the text to measure at")
    ] = 64,
    seed: Annotated[
        int, typer.Option(min=0, help="Random seed for directions and untrained weights")
    ] = 0,
    limit: Limit = 100_000,
    encoding: Encoding = "utf-8",
    component: Component = None,
    json: Json = False,
) -> None:
    """Measure whether gradients vanish or explode: their norm by time lag.

    Measured on your own text, for trained and untrained encoders, together with the largest
    singular value of their recurrent matrices (Pascanu et al. 2013).

    Try: spacy rnn gradients rnn/model-best dev.txt --compare lstm/model-best --output gradients.png
    """
    from rnnpipe.cli.output import PICTURE, print_json, require_output, say_written
    from rnnpipe.cli.pictures.gradient_picture import draw_gradients
    from rnnpipe.cli.text import given_text, text_name
    from rnnpipe.instruments.gradients import chains, gradient_curve

    require_output(output, force, PICTURE)
    others = [Fresh.parse(name.strip()) for name in encoders.split(",") if name.strip()]
    read = given_text("gradients", file, text, encoding=encoding, limit=limit)
    pipelines = [(model, component), *map(_split, compare or [])]
    trained = [_trained(path, name, read) for path, name in pipelines]
    found = [chain for which in trained for chain in chains(*which)]
    found += _fresh_chains(*trained[0][1:], others, seed)
    where = "--text" if file is None else str(file)
    curves = [gradient_curve(chain, lags, places, seed, where) for chain in found]
    if json:
        print_json({"curves": [curve.as_json() for curve in curves]})
    else:
        _print(curves)
    if output is not None:
        draw_gradients(curves, output, f"Gradient by time lag on {text_name(file)}")
        say_written(output)


def _split(text: str) -> tuple[str, str | None]:
    """A pipeline and the component in it, if it is named. A colon may also be part of a path."""
    model, colon, component = text.rpartition(":")
    return (model, component) if colon and not {"/", "\\"} & {*component} else (text, None)


def _trained(model: str, component: str | None, text: str) -> tuple[str, nn.Module, Tensor]:
    """A trained encoder under the name of its curve, and what it is given for a text."""
    from rnnpipe.cli.pipelines import load_pipeline, pipe_with_encoder
    from rnnpipe.cli.text import path_end
    from rnnpipe.instruments.encoders import encoder_on_text

    nlp = load_pipeline(model)
    pipe = pipe_with_encoder(nlp, component)
    return (f"{path_end(model)}:{pipe.name}, trained", *encoder_on_text(nlp, pipe, text))


def _fresh_chains(
    encoder: nn.Module, inputs: Tensor, others: Sequence[Fresh], seed: int
) -> Iterator[Chain]:
    """Of encoders of the width of a trained one, that are given the same."""
    from rnnpipe.instruments.gradients import chains, fresh_encoder
    from rnnpipe.parts.encoders.sequence.stack import RecurrentStack

    directions = encoder.directions if isinstance(encoder, RecurrentStack) else 1
    width = int(encoder.n_out) // directions  # type: ignore[arg-type]
    for other in others:
        made = fresh_encoder(other.name, inputs.shape[1], width, seed, **other.settings)
        yield from chains(f"{other}, fresh", made, inputs)


def _print(curves: Sequence[GradientCurve]) -> None:
    import numpy as np
    from rich.table import Column, Table

    from rnnpipe.cli.output import printer

    lags = len(curves[0].norm)
    shown = np.unique(np.geomspace(1, lags, 3).round().astype(int))
    table = Table(Column("Encoder", overflow="fold"), "σ₁(U)", box=None)
    for heading in (*(f"g({k})" for k in shown), "per step", "half", "1 %"):
        table.add_column(heading, no_wrap=True, justify="right")
    for curve in curves:
        value = "" if curve.singular_value is None else f"{curve.singular_value:.2f}"
        numbers = [f"{curve.norm[k - 1]:.1e}" for k in shown]
        left = [str(curve.lag_of(share) or f"> {lags}") for share in (0.5, 0.01)]
        table.add_row(curve.name, value, *numbers, f"{curve.per_step:.3f}", *left)
    out = printer()
    out.print(
        "g(k): norm of the gradient k steps back, where it starts with norm 1; factor per step; "
        "lag k at which half and 1 % of g(1) are left:"
    )
    out.print(table)
    out.print(readings.GRADIENTS)
