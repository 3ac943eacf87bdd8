"""Relations between two marked nouns (SemEval-2010 task 8): a BiLSTM, and graph LSTMs over parses.

    RNNPIPE_DATA=data python benchmarks/relations.py bilstm|dag|state|all [--work folder]

    bilstm   configs/relations.cfg, over the words in a row
    dag      configs/relations_graph.cfg: graph LSTMs along the edges to later and to earlier words
    state    the same with message passing (GraphStateLSTM), as wide as both halves of the others;
             it hears both ends of an edge, so that the graph needs no edges back

    --work folder   keep the parser, the parsed documents and the pipelines there
    --parser-steps 2000             how long the parser is trained
    --training.max_steps 500 ...    any other setting of the config

The parses are those of spaCy's parser on a BiLSTM of ours (configs/spacy_tagger_parser.cfg), which
is trained on UD English EWT first, for about 15 minutes of one core's time, unless the folder has
it. A fixed tenth of the examples is held out, the same for all models. Each run uses one torch
thread. The score is the macro-averaged F1 of rnnpipe.relation_scorer.v1, of the best pipeline on
the held-out tenth, by which it was chosen.
"""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import spacy
import srsly
import torch
from accuracy import CONFIGS, vectors
from options import parser_for
from spacy.cli._util import parse_config_overrides
from spacy.cli.convert import convert
from spacy.cli.train import train
from spacy.tokens import DocBin
from spacy.util import load_config
from thinc.api import Config
from wasabi import msg

from rnnpipe.training.corpora.relations import RelationCorpus

SHARES = {"train": (0.1, 1.0), "dev": (0.0, 0.1)}
#: The config of each model.
MODELS = {"bilstm": "relations.cfg", "dag": "relations_graph.cfg", "state": "relations_graph.cfg"}


def main() -> None:
    parser = parser_for(__doc__, parser_steps=2000)
    parser.add_argument("model", choices=[*MODELS, "all"])
    parser.add_argument("--work", type=Path)
    options, others = parser.parse_known_args()
    torch.set_num_threads(1)
    data, overrides = Path(os.environ["RNNPIPE_DATA"]), parse_config_overrides(others)
    chosen = list(MODELS) if options.model == "all" else [options.model]
    with nullcontext(options.work) if options.work else TemporaryDirectory() as folder:
        work, n = Path(folder), options.parser_steps
        scores = {model: run(model, overrides, data, work, n) for model in chosen}
    msg.divider("Held-out tenth")
    msg.table([(model, *row) for model, row in scores.items()], header=("", "macro-F1", "minutes"))


def run(
    model: str, overrides: dict[str, Any], data: Path, work: Path, parser_steps: int
) -> tuple[str, str]:
    """Train a model; its score in per cent and the processor's minutes."""
    config = load_config(CONFIGS / MODELS[model], interpolate=False)
    if model == "state":
        with_message_passing(config)
    source = data / "semeval2010-8" / "TRAIN_FILE.TXT"
    if model == "bilstm":
        corpora = dict.fromkeys(SHARES, source)
    else:
        corpora = parsed(source, data, work, parser_steps)
    paths = {f"paths.{part}": str(path) for part, path in corpora.items()}
    paths["paths.vectors"] = vectors(data, work)
    (work / model).mkdir(parents=True, exist_ok=True)
    config.to_disk(work / model / "config.cfg")
    start = time.process_time()
    train(work / model / "config.cfg", work / model, overrides={**paths, **overrides})
    minutes = (time.process_time() - start) / 60
    scores = srsly.read_json(work / model / "model-best" / "meta.json")["performance"]
    return f"{100 * scores['relation_macro_f']:.2f}", f"{minutes:.1f}"


def with_message_passing(config: Config) -> None:
    network = config["components"]["relation"]["model"]
    encoder, edges = network["encoder"], network["structure"]["inner"]["edges"]
    encoder.update(
        {"@rnnpipe_encoders": "rnnpipe.GraphStateLSTM.v1", "width": 2 * encoder["width"]}
    )
    for name, two_way in edges.items():
        edges[name] = two_way["edges"]


def parsed(source: Path, data: Path, work: Path, parser_steps: int) -> dict[str, Path]:
    """The examples with parses, in spaCy's format."""
    made = {part: work / f"relations-{part}.spacy" for part in SHARES}
    if all(path.exists() for path in made.values()):
        return made
    nlp = spacy.load(parser_of(data, work, parser_steps))
    for part, share in SHARES.items():
        gold = (example.reference for example in RelationCorpus(source, share=share)(nlp))
        DocBin(docs=nlp.pipe(gold)).to_disk(made[part])
    return made


def parser_of(data: Path, work: Path, steps: int) -> Path:
    """The folder of a trained parser."""
    best = work / "parser" / "model-best"
    if not best.exists():
        treebank = work / "treebank"
        treebank.mkdir(parents=True, exist_ok=True)
        overrides: dict[str, Any] = {"training.max_steps": steps}
        for part in SHARES:
            file = data / "ud-en-ewt" / f"en_ewt-ud-{part}.conllu"
            convert(file, treebank, file_type="spacy", n_sents=5, converter="conllu", silent=True)
            overrides[f"paths.{part}"] = str(treebank / f"{file.stem}.spacy")
        train(CONFIGS / "spacy_tagger_parser.cfg", work / "parser", overrides=overrides)
    return best


if __name__ == "__main__":
    main()
