"""``spacy rnn gradients``: see :mod:`rnnpipe.instruments.gradients`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rnnpipe.instruments.gradients import Chain, GradientCurve


def gradients(
    model: Pipeline,
    file: TextGiven = None,
    text: TextTyped = None,
    encoders: Annotated[
        str,
        typer.Option(
            metavar="NAME,NAME,...",
            help="Untrained encoders of the same width to compare with, by their registered names",
        ),
    ] = "RNN,GRU,LSTM",
    output: Picture = None,
    force: Force = False,
    lags: Annotated[int, typer.Option(min=2, help="Longest time lag, in steps")] = 50,
    places: Annotated[
        int, typer.Option(min=1, help="Number of places of the text to measure at")
    ] = 64,
    seed: Annotated[
        int, typer.Option(min=0, help="Random seed of directions and untrained weights")
    ] = 0,
    limit: Limit = 100_000,
    encoding: Encoding = "utf-8",
    component: Component = None,
    json: Json = False,
) -> None:
    """Measure how much of a gradient arrives from how far back: whether it vanishes or explodes.

    On your own text: the norm of the gradient by time lag, of the trained encoder and of untrained
    ones, with the largest singular value of their recurrent matrices (Pascanu et al. 2013).

    Try: spacy rnn gradients out/model-best dev.txt --encoders RNN,LSTM --output gradients.png
    """
    from rnnpipe.cli.output import PICTURE, print_json, require_output, say_written
    from rnnpipe.cli.parts import find_part
    from rnnpipe.cli.pictures.gradient_picture import draw_gradients
    from rnnpipe.cli.pipelines import load_pipeline, pipe_with_encoder
    from rnnpipe.cli.text import given_text, whose
    from rnnpipe.instruments.encoders import encoder_on_text
    from rnnpipe.instruments.gradients import gradient_curve

    require_output(output, force, PICTURE)
    names = [name.strip() for name in encoders.split(",") if name.strip()]
    full = [find_part("rnnpipe_encoders", "--encoders", name).name for name in names]
    read = given_text("gradients", file, text, encoding=encoding, limit=limit)
    nlp = load_pipeline(model)
    pipe = pipe_with_encoder(nlp, component)
    encoder, inputs = encoder_on_text(nlp, pipe, read)
    found = _all_chains(f"{pipe.name}, trained", encoder, inputs, full, seed)
    where = "--text" if file is None else str(file)
    curves = [gradient_curve(chain, lags, places, seed, where) for chain in found]
    if json:
        print_json({"curves": [curve.as_json() for curve in curves]})
    else:
        _print(curves)
    if output is not None:
        draw_gradients(curves, output, f"Gradient by time lag: {whose(model, file)}")
        say_written(output)


def _all_chains(
    name: str, encoder: nn.Module, inputs: Tensor, fresh: Sequence[str], seed: int
) -> Iterator[Chain]:
    """Of the trained encoder, and of others of its width that are given the same."""
    from rnnpipe.cli.parts import short_name
    from rnnpipe.instruments.gradients import chains, fresh_encoder
    from rnnpipe.parts.encoders.sequence.stack import RecurrentStack

    yield from chains(name, encoder, inputs)
    directions = encoder.directions if isinstance(encoder, RecurrentStack) else 1
    width = int(encoder.n_out) // directions  # type: ignore[arg-type]
    for other in fresh:
        made = fresh_encoder(other, inputs.shape[1], width, seed)
        yield from chains(f"{short_name(other)}, fresh", made, inputs)


def _print(curves: Sequence[GradientCurve]) -> None:
    import numpy as np
    from rich.table import Column, Table

    from rnnpipe.cli.output import printer

    shown = np.unique(np.geomspace(1, len(curves[0].norm), 4).round().astype(int))
    table = Table(Column("Encoder", overflow="fold"), "σ₁(U)", box=None)
    for heading in (*(f"k = {k}" for k in shown), "a step"):
        table.add_column(heading, no_wrap=True)
    for curve in curves:
        value = "" if curve.singular_value is None else f"{curve.singular_value:.2f}"
        numbers = [f"{curve.norm[k - 1]:.1e}" for k in shown]
        table.add_row(curve.name, value, *numbers, f"{curve.per_step:.3f}")
    out = printer()
    out.print("The norm of a gradient, 1 where it sets out, that arrives k steps before:")
    out.print(table)
