"""With a model of images: ``draw``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnnpipe.cli.options import Component, Force, Pipeline, errors_told


def draw_cli(
    model: Pipeline,
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture to draw: .png")],
    force: Force = False,
    n: Annotated[int, typer.Option("--n", "-n", help="How many images")] = 64,
    temperature: Annotated[
        float,
        typer.Option(
            "--temperature",
            "-t",
            help="0: always the most likely pixel; 1: as the model has it; above: more daring",
        ),
    ] = 1.0,
    seed: Annotated[
        int | None, typer.Option("--seed", "-s", help="For the same images again")
    ] = None,
    complete: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A PNG file whose upper half the images begin with"),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(help="With --complete: so many rows of it instead of half")
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(help="The class of the images, if the model knows any; by default, in turn"),
    ] = None,
    component: Component = None,
) -> None:
    """Draw images from a model of images, side by side.

    They are as large as those that the model was trained on; completed ones as large as the file,
    which is shown first.

    Try: spacy rnn draw out/model-best --output digits.png --n 64 --seed 0
    """
    with errors_told():
        from rnnpipe.cli.draw import draw

        draw(model, output, force, n, temperature, seed, complete, rows, label, component)
