"""Accuracy on real data: trains a config with `spacy train` and prints its scores on the dev split.

    RNNPIPE_DATA=data python benchmarks/accuracy.py ewt|ewt-trees|snips|wnut17|subj

    --decoder softmax   the same network with a softmax in place of the CRF
    --encoder lstm      the same network with an LSTM as wide as both halves of the encoder
    --encoder child-sum the same with a child-sum Tree-LSTM, for ewt-trees
    --encoder bilstm    for ewt-trees, a BiLSTM over the tokens in a row
    --peer              spaCy's own components, from `spacy init config --optimize efficiency`
    --work folder       keep the prepared data and the pipeline there
    --training.max_steps 500 ...    any other setting of the config

Each run uses one torch thread. The scores are those of the best pipeline on the dev split, by which
it was chosen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import spacy
import srsly
import torch
from options import parser_for
from spacy.cli._util import parse_config_overrides
from spacy.cli.convert import convert
from spacy.cli.init_config import init_config
from spacy.cli.train import train
from spacy.util import load_config
from spacy.vectors import Vectors
from thinc.api import Config
from wasabi import msg

CONFIGS = Path(__file__).parent.parent / "configs"


@dataclass(frozen=True)
class Task:
    """prepare: makes what `spacy train` reads, in a folder for it; returns the [paths] section.
    scores: what is printed. peer: spaCy's own components for the task."""

    config: str
    prepare: Callable[[Path, Path], dict[str, str]]
    scores: tuple[str, ...]
    peer: tuple[str, ...]


def prepare_ewt(data: Path, work: Path) -> dict[str, str]:
    return {**treebank(data, work), "vectors": vectors(data, work)}


def treebank(data: Path, work: Path) -> dict[str, str]:
    """UD English EWT in spaCy's format, a sentence a document."""
    paths = {}
    for part in ("train", "dev"):
        source = data / "ud-en-ewt" / f"en_ewt-ud-{part}.conllu"
        made = work / f"{source.stem}.spacy"
        if not made.exists():
            convert(source, work, file_type="spacy", n_sents=1, converter="conllu", silent=True)
        paths[part] = str(made)
    return paths


def prepare_snips(data: Path, work: Path) -> dict[str, str]:
    return {"train": str(data / "snips" / "train"), "dev": str(data / "snips" / "valid")}


def prepare_wnut17(data: Path, work: Path) -> dict[str, str]:
    folder = data / "wnut17"
    files = {"train": folder / "wnut17train.conll", "dev": folder / "emerging.dev.conll"}
    return {**{part: str(file) for part, file in files.items()}, "vectors": vectors(data, work)}


def prepare_subj(data: Path, work: Path) -> dict[str, str]:
    folder = str(data / "subj")
    return {"train": folder, "dev": folder, "vectors": vectors(data, work)}


def vectors(data: Path, work: Path) -> str:
    """The stored vectors as `spacy init vectors --attr LOWER` would write them."""
    stored = np.load(data / "glove50" / "glove50-subset.npz")
    nlp = spacy.blank("en")
    keys = [nlp.vocab.strings.add(str(word)) for word in stored["words"]]
    weights = stored["vectors"].astype(np.float32)
    nlp.vocab.vectors = Vectors(
        strings=nlp.vocab.strings, data=weights, keys=keys, name="glove50", attr="LOWER"
    )
    nlp.to_disk(work / "vectors")
    return str(work / "vectors")


TASKS = {
    "ewt": Task("tagger.cfg", prepare_ewt, ("pos_acc", "tag_acc"), ("tagger",)),
    "ewt-trees": Task("tree_tagger.cfg", treebank, ("pos_acc",), ("morphologizer",)),
    "snips": Task(
        "slots_intents.cfg",
        prepare_snips,
        ("ents_f", "cats_micro_f"),
        ("ner", "textcat"),
    ),
    "wnut17": Task("ner.cfg", prepare_wnut17, ("ents_p", "ents_r", "ents_f"), ("ner",)),
    "subj": Task("textcat.cfg", prepare_subj, ("cats_micro_f", "cats_macro_f"), ("textcat",)),
}


def with_softmax(config: Config) -> None:
    for component in config["components"].values():
        if component["model"]["decoder"] == {"@rnnpipe_decoders": "rnnpipe.CRF.v1"}:
            component["model"]["decoder"]["@rnnpipe_decoders"] = "rnnpipe.Softmax.v1"


def with_one_direction(config: Config, name: str) -> None:
    """An encoder as wide as both halves of the config's."""
    for component in config["components"].values():
        encoder = component["model"]["encoder"]
        encoder.update({"@rnnpipe_encoders": name, "width": 2 * encoder["width"]})


def with_bilstm(config: Config) -> None:
    for component in config["components"].values():
        component["model"].pop("structure", None)
        component["model"]["encoder"]["@rnnpipe_encoders"] = "rnnpipe.BiLSTM.v1"


ENCODERS: dict[str, Callable[[Config], None]] = {
    "lstm": partial(with_one_direction, name="rnnpipe.LSTM.v1"),
    "child-sum": partial(with_one_direction, name="rnnpipe.ChildSumTreeLSTM.v1"),
    "bilstm": with_bilstm,
}


def peer_config(task: Task, config: Config) -> Config:
    """spaCy's own recommendation for these components, on the same corpora."""
    peer = init_config(lang="en", pipeline=list(task.peer), optimize="efficiency")
    peer["paths"] = {**peer["paths"], **config["paths"]}
    peer["corpora"] = config["corpora"]
    peer["initialize"].update(vectors=None, init_tok2vec=None)
    return peer


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("--decoder", choices=["crf", "softmax"], default="crf")
    parser.add_argument("--encoder", choices=sorted(ENCODERS))
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--work", type=Path)
    options, others = parser.parse_known_args()
    torch.set_num_threads(1)
    task, data = TASKS[options.task], Path(os.environ["RNNPIPE_DATA"])
    overrides = parse_config_overrides(others)
    config = load_config(CONFIGS / task.config, interpolate=False)
    if options.decoder == "softmax":
        with_softmax(config)
    if options.encoder:
        ENCODERS[options.encoder](config)
    if options.peer:
        config = peer_config(task, config)
    with nullcontext(options.work) if options.work else TemporaryDirectory() as work:
        run(task, config, overrides, data, Path(work))


def run(
    task: Task, config: Config, overrides: dict[str, Any], data: Path, work: Path
) -> dict[str, Any]:
    work.mkdir(parents=True, exist_ok=True)
    paths = {f"paths.{name}": path for name, path in task.prepare(data, work).items()}
    config.to_disk(work / "config.cfg")
    start = time.perf_counter()
    train(work / "config.cfg", work, overrides={**paths, **overrides})
    seconds = time.perf_counter() - start
    scores: dict[str, Any] = srsly.read_json(work / "model-best" / "meta.json")["performance"]
    msg.divider("Dev split")
    msg.table({name: f"{100 * scores[name]:.2f}" for name in task.scores if name in scores})
    msg.text(f"{seconds / 60:.1f} minutes, evaluation included")
    return scores


if __name__ == "__main__":
    main()
