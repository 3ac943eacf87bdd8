"""From raw text to a better tagger: what two language models add, on UD English EWT.

    RNNPIPE_DATA=data python benchmarks/contextual.py --work folder

It trains a forward and a backward language model with configs/contextual_lm.cfg on raw English,
then the tagger of configs/contextual_tagger.cfg with and without them, on all annotated sentences
and on a tenth of them, and prints the accuracy of the fine tags on the dev split. What the folder
holds already is not made again; `--only forward backward all all-alone` makes some of it.
Further options are passed on to the configs (`--training.max_steps 100`).

The raw text is that of EWT's own training sentences, of the examples of SemEval 2010 task 8 without
their marks, and of the English sentences of Tatoeba that have at least 40 characters; 400 lines
(`--held-out`) are kept to choose the best language model. No dev split is read before the taggers
are scored.

Each run uses one torch thread.
"""

from __future__ import annotations

import os
import random
import re
import time
from argparse import Namespace
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import spacy
import srsly
import torch
from accuracy import CONFIGS, treebank
from options import parser_for
from spacy.cli._util import parse_config_overrides
from spacy.cli.train import train
from spacy.tokens import DocBin
from spacy.util import load_config
from wasabi import msg


def raw_text(data: Path) -> Iterator[str]:
    with (data / "ud-en-ewt" / "en_ewt-ud-train.conllu").open(encoding="utf8") as lines:
        yield from (line[9:].strip() for line in lines if line.startswith("# text = "))
    with (data / "semeval2010-8" / "TRAIN_FILE.TXT").open(encoding="utf8") as lines:
        examples = (line.split("\t")[1] for line in lines if re.match(r"\d+\t", line))
        yield from (re.sub(r"</?e[12]>", "", text.strip().strip('"')) for text in examples)
    with (data / "tatoeba-fra-eng" / "fra.txt").open(encoding="utf8") as lines:
        yield from (text for line in lines if len(text := line.split("\t")[0]) >= 40)


def prepare_text(data: Path, work: Path, n_held_out: int) -> dict[str, str]:
    """Distinct lines in random order, a sentence a line."""
    lines = sorted(set(raw_text(data)) - {""})
    random.Random(0).shuffle(lines)
    parts = {"dev": lines[:n_held_out], "train": lines[n_held_out:]}
    for name, part in parts.items():
        (work / f"{name}.txt").write_text("".join(f"{line}\n" for line in part), encoding="utf8")
    return {name: str(work / f"{name}.txt") for name in parts}


def train_language_model(name: str, data: Path, options: Namespace, others: dict[str, Any]) -> None:
    paths = prepare_text(data, options.work, options.held_out)
    overrides: dict[str, Any] = {f"paths.{part}": path for part, path in paths.items()}
    if name == "backward":
        overrides["components.lm.model.symbols"] = "${reading.backward}"
    overrides.update(others)
    train(CONFIGS / "contextual_lm.cfg", options.work / name, overrides=overrides)


def train_tagger(name: str, data: Path, options: Namespace, others: dict[str, Any]) -> None:
    """all: on all sentences. tenth: on every tenth, for a third of the steps. alone: without the
    language models."""
    work = options.work
    config = load_config(CONFIGS / "contextual_tagger.cfg", interpolate=False)
    if name.endswith("alone"):
        parts = config["components"]["tagger"]["model"]["embedding"]["parts"]
        del parts["forward"], parts["backward"]
    paths = treebank(data, work)
    overrides: dict[str, Any] = {f"paths.{part}": path for part, path in paths.items()}
    for direction in ("forward", "backward"):
        overrides[f"paths.{direction}"] = str(work / direction / "model-best")
    if name.startswith("tenth"):
        overrides["paths.train"] = a_tenth(Path(paths["train"]))
        overrides.update({"training.max_steps": 300, "training.eval_frequency": 100})
    overrides.update(others)
    config.to_disk(work / f"{name}.cfg")
    train(work / f"{name}.cfg", work / name, overrides=overrides)


def a_tenth(corpus: Path) -> str:
    """Every tenth document of a corpus."""
    docs = DocBin().from_disk(corpus).get_docs(spacy.blank("en").vocab)
    path = corpus.with_name("tenth.spacy")
    DocBin(docs=islice(docs, 0, None, 10)).to_disk(path)
    return str(path)


RUNS = {
    "forward": train_language_model,
    "backward": train_language_model,
    "all-alone": train_tagger,
    "all": train_tagger,
    "tenth-alone": train_tagger,
    "tenth": train_tagger,
}
SCORES = ("lm_nats", "lm_perplexity", "tag_acc")


def main() -> None:
    parser = parser_for(__doc__, held_out=400)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", choices=RUNS, nargs="+", default=list(RUNS))
    options, others = parser.parse_known_args()
    torch.set_num_threads(1)
    data, overrides = Path(os.environ["RNNPIPE_DATA"]), parse_config_overrides(others)
    options.work.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in options.only:
        meta, minutes = options.work / name / "model-last" / "meta.json", ""
        if not meta.exists():
            start = time.process_time()
            RUNS[name](name, data, options, overrides)
            minutes = f"{(time.process_time() - start) / 60:.1f}"
        scores = srsly.read_json(options.work / name / "model-best" / "meta.json")["performance"]
        rows.append((name, *(format_score(scores, score) for score in SCORES), minutes))
    msg.divider("Held-out text; dev split")
    msg.table(rows, header=("run", *SCORES, "CPU minutes"))


def format_score(scores: dict[str, Any], name: str) -> str:
    scale = 100 if name == "tag_acc" else 1
    return f"{scale * scores[name]:.2f}" if name in scores else ""


if __name__ == "__main__":
    main()
