"""From one text to another: error rates and BLEU on development splits, greedy and by beam.

    RNNPIPE_DATA=data python benchmarks/seq2seq.py g2p [--languages ice kor]
    RNNPIPE_DATA=data python benchmarks/seq2seq.py translate [--attention none]

g2p trains configs/g2p.cfg on each language of SIGMORPHON 2020 (3,600 words) and scores the 450
words of its dev set: word and phoneme error rate, and their means over the languages.
translate trains configs/translate.cfg on 30,000 pairs of Tatoeba and scores 1,000 pairs with other
English sentences; with `--attention none` the same model without attention.

The checkpoint is the best on the same split, by the search of the config. Further options are
passed on to the config (`--training.max_steps 100`). Each run uses one torch thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import spacy
import torch
from options import parser_for
from spacy.cli._util import parse_config_overrides
from spacy.cli.train import train
from spacy.language import Language
from spacy.training import Example
from spacy.util import load_config, registry
from wasabi import msg

from rnnpipe.parts.decoders.generation.beam import Beam

CONFIGS = Path(__file__).parent.parent / "configs"
LANGUAGES = (
    *("ady", "arm", "bul", "dut", "fre", "geo", "gre", "hin"),
    *("hun", "ice", "jpn", "kor", "lit", "rum", "vie"),
)
SEARCHES: dict[str, Callable[[], Any]] = {
    "greedy": lambda: Beam(beam_size=1, length_penalty="average", max_length=60),
    "beam 5": lambda: Beam(beam_size=5, length_penalty="average", max_length=60),
    "beam 5, GNMT's penalties": lambda: Beam(
        beam_size=5, length_penalty="gnmt", alpha=0.6, coverage_penalty=0.1, max_length=60
    ),
}
ERROR_RATES = {"sequence_error_rate": "words", "symbol_error_rate": "phonemes"}


def g2p(data: Path, languages: list[str], overrides: dict[str, Any]) -> None:
    rows, searches = [], ("greedy", "beam 5")
    for language in languages:
        files = str(data / "sigmorphon2020-g2p" / language)
        paths = {"paths.train": f"{files}_train.tsv", "paths.dev": f"{files}_dev.tsv"}
        nlp, dev, minutes = trained(CONFIGS / "g2p.cfg", {**paths, **overrides})
        scores = [searched(nlp, dev, search) for search in searches]
        rows.append([100 * score[rate] for score in scores for rate in ERROR_RATES] + [minutes])
        print(language, [f"{value:.2f}" for value in rows[-1]], flush=True)
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    columns = [f"{search}: {rate}" for search in searches for rate in ERROR_RATES.values()]
    table = [[f"{x:.2f}" for x in row] for row in [*rows, means]]
    named = [[name, *row] for name, row in zip([*languages, "mean"], table, strict=True)]
    msg.table(named, header=["errors, %", *columns, "minutes"])


def translate(data: Path, attention: str, overrides: dict[str, Any]) -> None:
    path = str(data / "tatoeba-fra-eng" / "fra.txt")
    searches = [*SEARCHES]
    if attention == "none":
        component = "components.translator"
        overrides = {f"{component}.model.attention": None, **overrides}
        overrides[f"{component}.copy_unknown"] = False
        searches = searches[:-1]
    paths = {"paths.train": path, "paths.dev": path}
    nlp, dev, minutes = trained(CONFIGS / "translate.cfg", {**paths, **overrides})
    rows = [[name, searched(nlp, dev, name)] for name in searches]
    table = [[name, f"{100 * s['bleu']:.2f}", f"{100 * s['chrf']:.2f}"] for name, s in rows]
    msg.table(table, header=[f"attention: {attention}", "BLEU", "chrF"])
    for eg in dev[:5]:
        (doc,) = nlp.pipe([eg.predicted.copy()])
        print(f"{doc.text} -> {doc._.translation} ({eg.reference._.translation})")
    print(f"{minutes:.1f} minutes of processor time, evaluation included")


def trained(config: Path, overrides: dict[str, Any]) -> tuple[Language, list[Example], float]:
    """The best checkpoint, the dev examples, and the minutes of processor time that it took."""
    with TemporaryDirectory() as work:
        begin = time.process_time()
        train(config, Path(work), overrides=overrides)
        minutes = (time.process_time() - begin) / 60
        nlp = spacy.load(Path(work) / "model-best")
    corpora = load_config(config, overrides=overrides, interpolate=True)["corpora"]
    return nlp, list(registry.resolve(corpora)["dev"](nlp)), minutes


def searched(nlp: Language, dev: list[Example], search: str) -> dict[str, Any]:
    pipe: Any = nlp.get_pipe(nlp.pipe_names[-1])
    pipe.search = SEARCHES[search]()
    scores: dict[str, Any] = nlp.evaluate([Example(nlp.make_doc(e.text), e.reference) for e in dev])
    return scores


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("task", choices=["g2p", "translate"])
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=[*LANGUAGES])
    parser.add_argument("--attention", choices=["general", "none"], default="general")
    options, others = parser.parse_known_args()
    torch.set_num_threads(1)
    data, overrides = Path(os.environ["RNNPIPE_DATA"]), parse_config_overrides(others)
    if options.task == "g2p":
        g2p(data, options.languages, overrides)
    else:
        translate(data, options.attention, overrides)


if __name__ == "__main__":
    main()
