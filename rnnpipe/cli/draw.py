"""``spacy rnn draw``: images from a model of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.cli.files import require_new
from rnnpipe.cli.output import say_written
from rnnpipe.cli.pictures.image_grid import require_png, write_grid
from rnnpipe.cli.pipelines import find_pipe, load_pipeline
from rnnpipe.components.images.rnn_image import RnnImageModel
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.structures.doc_image import to_levels
from rnnpipe.training.corpora.png import read_png


def draw(
    model: str,
    output: Path,
    force: bool,
    n: int,
    temperature: float,
    seed: int | None,
    complete: Path | None,
    rows: int | None,
    label: str | None,
    component: str | None,
) -> None:
    """Draw a grid of images.

    RAISES: SettingsError, CorpusError, LabelError or StructureError for what is wrong with the
        pipeline, the settings, the label or the file to complete.
    """
    require_png(output)
    require_new(output, force)
    if rows is not None and complete is None:
        do = "Name the file to complete, or leave out --rows."
        raise SettingsError(expected("--rows", "no value without --complete", rows, do))
    what = "one model of images (rnn_image)"
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
    height, width, _ = image.shape
    if not 0 <= rows <= height:
        raise SettingsError(expected("--rows", f"0 to {height}, the rows of the file", rows))
    return np.broadcast_to((np.arange(height) < rows)[:, None], (height, width))
