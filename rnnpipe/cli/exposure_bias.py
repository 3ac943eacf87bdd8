"""``spacy rnn exposure-bias``: see :mod:`rnnpipe.instruments.exposure_bias`."""

from __future__ import annotations

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
    TextPath,
)
from rnnpipe.cli.pictures import readings

if TYPE_CHECKING:
    from rich.table import Table

    from rnnpipe.instruments.exposure_bias import ExposureBias


def exposure_bias(
    model: Pipeline,
    file: TextPath,
    output: Picture = None,
    force: Force = False,
    prompts: Annotated[
        int, typer.Option(min=2, help="Number of prompts taken from the file")
    ] = 100,
    prompt_length: Annotated[
        int, typer.Option(min=1, help="Length of each prompt, in symbols")
    ] = 100,
    length: Annotated[
        int, typer.Option(min=1, help="Length of each continuation, in symbols")
    ] = 200,
    ranges: Annotated[
        int,
        typer.Option(
            min=1, help="Number of points per curve; each point averages a range of distances"
        ),
    ] = 20,
    order: Annotated[int, typer.Option(min=1, help="Order n of the n-gram judge")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Random seed")] = 0,
    limit: Limit = 1_000_000,
    encoding: Encoding = "utf-8",
    component: Component = None,
    json: Json = False,
) -> None:
    """Measure the exposure bias of a language model: compare its own text with real text.

    The model continues prompts from the file. By distance from the prompt, the command shows the
    model's loss on the real text (teacher-forced) and on its own (free-running), and the loss
    of an independent judge on both: an n-gram model of the rest of the file. A gap that grows
    with the distance is exposure bias.

    Use a file that the model was not trained on.

    Try: spacy rnn exposure-bias out/model-best dev.txt --prompts 20 --output gap.png
    """
    from rnnpipe.cli.output import PICTURE, print_json, printer, require_output, say_written
    from rnnpipe.cli.pictures.exposure_picture import draw_exposure_bias
    from rnnpipe.cli.pipelines import language_model_reader
    from rnnpipe.cli.text import beginning
    from rnnpipe.instruments.exposure_bias import exposure_bias as measure

    require_output(output, force, PICTURE)
    reader = language_model_reader(model, component)
    result = measure(
        reader,
        beginning(file, encoding, limit),
        where=str(file),
        prompts=prompts,
        prompt_length=prompt_length,
        length=length,
        ranges=ranges,
        order=order,
        seed=seed,
    )
    if json:
        print_json(result.as_json())
    else:
        out = printer()
        out.print("Nats per symbol by distance from the prompt:")
        out.print(
            "loss of the model on real text (H) and on its own text (F), of the judge on "
            "the same (Q, W)"
        )
        out.print(_table(result))
        out.print(f"The gap grows by {result.growth:+.3f} from the first to the last quarter")
        out.print(readings.EXPOSURE_BIAS)
    if output is not None:
        draw_exposure_bias(result, output)
        say_written(output)


def _table(result: ExposureBias) -> Table:
    from rich.table import Table

    table = Table("Distance", "H, real", "F, own", "Q, real", "W, own", "gap W-Q", box=None)
    curves = (result.teacher_forced, result.free_running, result.real, result.written)
    columns = [result.distances, *(curve.mean for curve in curves), result.gap]
    for distance, *values in zip(*columns, strict=True):
        table.add_row(f"{distance:g}", *(f"{value:.3f}" for value in values))
    return table
