"""Images on real data: trains a config with `spacy train`, scores the best pipeline, draws from it.

    RNNPIPE_DATA=data python benchmarks/images_accuracy.py pixelcnn|rowlstm|diagonal
        Binarised MNIST, configs/images.cfg with that encoder: nats an image and bits a pixel on the
        whole part that is not trained on (spaCy's table has the first 1,000 images of it), and two
        pictures, samples.png and completions.png, in the folder of --work.
    RNNPIPE_DATA=data python benchmarks/images_accuracy.py digits|digits-diagonal
        Accuracy on the tenth of the digits that is kept apart, by a BiLSTM over the rows, or by a
        Diagonal BiLSTM over the pixels.
    RNNPIPE_DATA=data python benchmarks/images_accuracy.py captions
        The words for the same digits: the share that is right.

    --work folder       keep pipeline and pictures there
    --drawn 64          how many images samples.png has
    --training.max_steps 500 ...    any other setting of the config

Each run uses one torch thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import spacy
import torch
from accuracy import CONFIGS, Task, run
from options import parser_for
from spacy.cli._util import parse_config_overrides
from spacy.util import load_config, set_dot_to_object
from thinc.api import Config
from wasabi import msg

from rnnpipe.cli.pictures.image_grid import write_grid
from rnnpipe.training.corpora.image_archive import ImageArchive

#: What configs/images.cfg has of a PixelCNN; of the others, what differs. Each takes as many steps
#: as half an hour is enough for.
RECURRENT = {
    "components.image.model.width": 32,
    "components.image.model.encoder.depth": 1,
    "training.optimizer.learn_rate.initial_rate": 0.003,
    "training.max_steps": 22000,
}
ENCODERS = {
    "pixelcnn": {},
    "rowlstm": {
        "components.image.model.encoder.@rnnpipe_encoders": "rnnpipe.RowLSTM.v1",
        "components.image.model.encoder.width": 32,
        **RECURRENT,
    },
    "diagonal": {
        "components.image.model.encoder.@rnnpipe_encoders": "rnnpipe.DiagonalBiLSTM.v1",
        "components.image.model.encoder.width": 24,
        **RECURRENT,
    },
}


def mnist(data: Path, work: Path) -> dict[str, str]:
    path = str(data / "mnist-binarized" / "binarized.npz")
    return {"train": path, "dev": path}


def digits(data: Path, work: Path) -> dict[str, str]:
    path = str(data / "digits" / "digits.npz")
    return {"train": path, "dev": path}


def with_encoder(name: str) -> Callable[[Config], None]:
    def change(config: Config) -> None:
        for path, value in ENCODERS[name].items():
            set_dot_to_object(config, path, value)

    return change


def over_pixels(config: Config) -> None:
    """The digits as grids, by a Diagonal BiLSTM whose last state has seen all pixels."""
    config["components"]["textcat"]["model"].update(
        structure={"@rnnpipe_structures": "rnnpipe.ImageGrid.v1"},
        embedding={"@rnnpipe_embeddings": "rnnpipe.Pixels.v1", "levels": 17},
        encoder={"@rnnpipe_encoders": "rnnpipe.DiagonalBiLSTM.v1", "width": 48, "depth": 2},
        pooler={"@rnnpipe_poolers": "rnnpipe.Max.v1"},
    )


def unchanged(config: Config) -> None:
    """As the config is."""


#: The task, and what it changes in its config.
TASKS = {
    **{name: (Task("images.cfg", mnist, (), ()), with_encoder(name)) for name in ENCODERS},
    "digits": (Task("digits.cfg", digits, ("cats_micro_f",), ()), unchanged),
    "digits-diagonal": (Task("digits.cfg", digits, ("cats_micro_f",), ()), over_pixels),
    "captions": (Task("captions.cfg", digits, ("sequence_accuracy",), ()), unchanged),
}


def score_and_draw(data: Path, work: Path, n_drawn: int) -> None:
    """Score the whole valid part; draw samples, and completions of its first images."""
    nlp = spacy.load(work / "model-best")
    path = Path(mnist(data, work)["dev"])
    examples = list(ImageArchive(path, images="valid", packed=(28, 28))(nlp))
    start = time.perf_counter()
    scores = nlp.evaluate(examples, batch_size=100)
    seconds = time.perf_counter() - start
    msg.divider(f"All {len(examples)} images")
    msg.table({name: f"{scores[name]:.4f}" for name in ("image_nats", "image_bits_per_dim")})
    msg.text(f"{seconds / 60:.1f} minutes to score them")
    pipe = nlp.get_pipe("image")
    start = time.perf_counter()
    write_grid(pipe.generate(n_drawn, seed=0), pipe.levels, work / "samples.png")
    msg.text(f"{time.perf_counter() - start:.1f} seconds to draw {n_drawn}")
    given = [example.reference._.image for example in examples[:8]]
    rows = [[image, *pipe.complete(image, n=7, seed=i)] for i, image in enumerate(given)]
    write_grid(np.concatenate(rows), pipe.levels, work / "completions.png", columns=8)
    msg.text(f"Pictures in {work}: samples.png and completions.png, whose first column is given")


def main() -> None:
    parser = parser_for(__doc__, drawn=64)
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("--work", type=Path)
    options, others = parser.parse_known_args()
    torch.set_num_threads(1)
    data = Path(os.environ["RNNPIPE_DATA"])
    task, change = TASKS[options.task]
    config = load_config(CONFIGS / task.config, interpolate=False)
    change(config)
    with nullcontext(options.work) if options.work else TemporaryDirectory() as work:
        run(task, config, parse_config_overrides(others), data, Path(work))
        if options.task in ENCODERS:
            score_and_draw(data, Path(work), options.drawn)


if __name__ == "__main__":
    main()
