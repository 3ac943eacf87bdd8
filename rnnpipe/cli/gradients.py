"""``spacy rnn gradients``: see :mod:`rnnpipe.instruments.gradients`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from torch import Tensor, nn

from rnnpipe.cli.output import PICTURE, require_output, say_written
from rnnpipe.cli.parts import find_part, short_name
from rnnpipe.cli.pictures.gradient_picture import draw_gradients
from rnnpipe.cli.pipelines import load_pipeline, pipe_with_encoder
from rnnpipe.cli.text import given_text, whose
from rnnpipe.instruments.encoders import encoder_on_text
from rnnpipe.instruments.gradients import (
    Chain,
    GradientCurve,
    chains,
    fresh_encoder,
    gradient_curve,
)
from rnnpipe.parts.encoders.sequence.stack import RecurrentStack


def gradients(
    model: str,
    path: Path | None,
    text: str | None,
    compared: str,
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
    """Print and draw how gradients change with the time lag. compared: names of encoders.

    Raises SettingsError, CorpusError and StructureError for what is wrong with the input."""
    require_output(output, force, PICTURE)
    names = [name.strip() for name in compared.split(",") if name.strip()]
    full = [find_part("rnnpipe_encoders", "--encoders", name).name for name in names]
    read = given_text("gradients", path, text, encoding, limit)
    nlp = load_pipeline(model)
    pipe = pipe_with_encoder(nlp, component)
    encoder, inputs = encoder_on_text(nlp, pipe, read)
    found = _all_chains(f"{pipe.name}, trained", encoder, inputs, full, seed)
    where = "--text" if path is None else str(path)
    curves = [gradient_curve(chain, lags, places, seed, where) for chain in found]
    if as_json:
        print(json.dumps({"curves": [curve.as_json() for curve in curves]}, indent=2))
    else:
        _print(curves)
    if output is not None:
        draw_gradients(curves, output, f"Gradient by time lag: {whose(model, path)}")
        say_written(output)


def _all_chains(
    name: str, encoder: nn.Module, inputs: Tensor, fresh: Sequence[str], seed: int
) -> Iterator[Chain]:
    """Of the trained encoder, and of others of its width that are given the same."""
    yield from chains(name, encoder, inputs)
    directions = encoder.directions if isinstance(encoder, RecurrentStack) else 1
    width = int(encoder.n_out) // directions  # type: ignore[arg-type]
    for other in fresh:
        made = fresh_encoder(other, inputs.shape[1], width, seed)
        yield from chains(f"{short_name(other)}, fresh", made, inputs)


def _print(curves: Sequence[GradientCurve]) -> None:
    console = Console(highlight=False)
    shown = np.unique(np.geomspace(1, len(curves[0].norm), 4).round().astype(int))
    table = Table(Column("Encoder", overflow="fold"), "σ₁(U)", box=None)
    for heading in (*(f"k = {k}" for k in shown), "a step"):
        table.add_column(heading, no_wrap=True)
    for curve in curves:
        value = "" if curve.singular_value is None else f"{curve.singular_value:.2f}"
        numbers = [f"{curve.norm[k - 1]:.1e}" for k in shown]
        table.add_row(Text(curve.name), value, *numbers, f"{curve.per_step:.3f}")
    console.print("The norm of a gradient, 1 where it sets out, that arrives k steps before:")
    console.print(table)
