"""``spacy rnn draw``: images from a model of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnnpipe.cli.options import TEMPERATURE, Component, Force, Pipeline
from rnnpipe.errors import SettingsError, expected

if TYPE_CHECKING:
    import numpy as np


def draw(
    model: Pipeline,
    output: Annotated[Path, typer.Option("--output", "-o", help="Output picture (.png)")],
    force: Force = False,
    n: Annotated[int, typer.Option("--n", "-n", help="Number of images")] = 64,
    temperature: Annotated[
        float, typer.Option("--temperature", "-t", help=TEMPERATURE.format("pixel"))
    ] = 1.0,
    seed: Annotated[int | None, typer.Option("--seed", "-s", help="Random seed")] = None,
    complete: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="PNG file to complete; its upper half is kept"),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(help="Number of rows to keep from the file of --complete, instead of half"),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            help="Class of the images, for a model with classes; by default, each class in turn"
        ),
    ] = None,
    component: Component = None,
) -> None:
    """Draw images from an image model, side by side.

    Images have the size of the training images. Completed images have the size of the given file,
    which is shown first.

    Try: spacy rnn draw out/model-best --output digits.png --n 64 --seed 0
    """
    import numpy as np

    from rnnpipe.cli.files import require_new
    from rnnpipe.cli.output import say_written
    from rnnpipe.cli.pictures.image_grid import require_png, write_grid
    from rnnpipe.cli.pipelines import find_pipe, load_pipeline
    from rnnpipe.components.images.rnn_image import RnnImageModel
    from rnnpipe.parts.structures.doc_image import to_levels
    from rnnpipe.training.corpora.png import read_png

    require_png(output)
    require_new(output, force)
    if rows is not None and complete is None:
        do = "Pass --complete, or omit --rows."
        raise SettingsError(expected("--rows", "no value without --complete", rows, do))
    what = "one image model (rnn_image)"
    pipe: RnnImageModel = find_pipe(load_pipeline(model), (RnnImageModel,), what, component)
    settings: dict[str, Any] = {"temperature": temperature, "seed": seed, "label": label}
    if complete is None:
        images = pipe.generate(n, **settings)
    else:
        image = to_levels(read_png(complete), pipe.levels)
        known = _upper(image, len(image) // 2 if rows is None else rows)
        images = np.stack([image, *pipe.complete(image, known, n, **settings)])
    write_grid(images, pipe.levels, output)
    say_written(output)


def _upper(image: np.ndarray, rows: int) -> np.ndarray:
    import numpy as np

    height, width, _ = image.shape
    if not 0 <= rows <= height:
        raise SettingsError(expected("--rows", f"0 to {height}, the rows of the file", rows))
    return np.broadcast_to((np.arange(height) < rows)[:, None], (height, width))
