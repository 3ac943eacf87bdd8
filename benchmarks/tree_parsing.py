"""Parsing by joining neighbours (Socher et al. 2011): bracket F1 of trees that the network builds.

    RNNPIPE_DATA=data python benchmarks/tree_parsing.py ewt|listops

    --loss margin       a maximum margin in place of the likelihood
    --beam 8            the size of the beam that is compared with the greedy search
    --train 10000 --dev 1000    how many expressions of listops
    --work folder       keep the prepared data and the pipeline there
    --training.max_steps 500 ...    any other setting of configs/tree_parser.cfg

ewt: constituents made of the dependency trees of UD English EWT. A word is joined with its
    dependents one by one, each of them complete: the nearest on the right, the nearest on the
    left, the next on the right, and so on, the rest of a side when the other has no more. So
    every tree is binary; a constituent is labelled with the universal tag of its head. Left out
    are trees with crossing edges and sentences of one word. listops: the expressions of
    benchmarks/listops.py without their values.

F1 is that of all constituents of two words or more, the whole among them; beside it that of trees
that branch to the right alone, or to the left. Each run uses one torch thread.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import conllu
import spacy
import torch
from accuracy import CONFIGS
from listops import data_set
from options import parser_for
from spacy.cli._util import parse_config_overrides
from spacy.cli.train import train
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import load_config
from wasabi import msg

from rnnpipe.training.corpora.brackets import BracketCorpus

ESCAPES = str.maketrans({"(": "-LRB-", ")": "-RRB-", " ": "_"})


def bracket(words: list[str], heads: list[int], tags: list[str]) -> str | None:
    """The constituents of a dependency tree in brackets; ``None`` if edges cross. heads: positions
    of words, -1 for the root."""
    dependents: list[list[int]] = [[] for _ in words]
    for word, head in enumerate(heads):
        if head >= 0:
            dependents[head].append(word)

    def grow(head: int) -> tuple[int, int, str] | None:
        """First word, end and text of the constituent of a word with all below it."""
        start, end, text = head, head + 1, words[head].translate(ESCAPES)
        right = [d for d in dependents[head] if d > head]
        left = [d for d in reversed(dependents[head]) if d < head]
        for pair in zip_longest(right, left):
            for dependent in pair:
                if dependent is None:
                    continue
                part = grow(dependent)
                if part is None or (part[0] != end and part[1] != start):
                    return None
                texts = (text, part[2]) if part[0] == end else (part[2], text)
                start, end = min(start, part[0]), max(end, part[1])
                text = f"({tags[head]} {' '.join(texts)})"
        return start, end, text

    tree = grow(heads.index(-1))
    return tree[2] if tree is not None else None


def ewt(part: str, options: argparse.Namespace) -> Iterator[str]:
    source = Path(os.environ["RNNPIPE_DATA"]) / "ud-en-ewt" / f"en_ewt-ud-{part}.conllu"
    left_out = total = 0
    with source.open(encoding="utf8") as file:
        for sentence in conllu.parse_incr(file):
            tokens = [token for token in sentence if isinstance(token["id"], int)]
            if len(tokens) < 2:
                continue
            heads = [token["head"] - 1 for token in tokens]
            forms, tags = ([token[key] for token in tokens] for key in ("form", "upos"))
            tree = bracket(forms, heads, tags)
            total, left_out = total + 1, left_out + (tree is None)
            if tree is not None:
                yield tree
    msg.info(f"{part}: {left_out} of {total} trees left out, whose edges cross")


def listops(part: str, options: argparse.Namespace) -> list[str]:
    dev = data_set(options.dev, 0)
    return dev if part == "dev" else data_set(options.train, 1, frozenset(dev))


def branching(words: list[str], side: str) -> list[tuple[int, int]]:
    """The spans of the tree that branches to one side alone, children before parents."""
    n = len(words)
    starts = range(n - 2, -1, -1)
    return [(i, n) if side == "right" else (0, n - i) for i in starts]


def scores(nlp: spacy.Language, examples: Iterable[Example]) -> dict[str, float]:
    return nlp.get_pipe("parser").bracket_scores(examples)  # type: ignore[attr-defined,no-any-return]


def baseline(nlp: spacy.Language, dev: Path, side: str) -> float:
    examples = []
    for example in BracketCorpus(dev)(nlp):
        doc = Doc(nlp.vocab, words=[token.text for token in example.reference])
        spans = branching([token.text for token in doc], side)
        doc.spans["constituents"] = [Span(doc, *span) for span in spans]
        examples.append(Example(doc, example.reference))
    return scores(nlp, examples)["brackets_f"]


def run(options: argparse.Namespace, others: list[str], work: Path) -> None:
    work.mkdir(parents=True, exist_ok=True)
    paths = {}
    for part in ("train", "dev"):
        trees = {"ewt": ewt, "listops": listops}[options.task](part, options)
        (work / f"{part}.txt").write_text("\n".join(trees) + "\n", encoding="utf8")
        paths[f"paths.{part}"] = str(work / f"{part}.txt")
    config = load_config(CONFIGS / "tree_parser.cfg", interpolate=False)
    if options.loss == "margin":
        decoder = config["components"]["parser"]["model"]["decoder"]
        decoder["@rnnpipe_decoders"] = "rnnpipe.MarginParser.v1"
    config.to_disk(work / "config.cfg")
    start = time.process_time()
    train(work / "config.cfg", work, overrides={**paths, **parse_config_overrides(others)})
    minutes = (time.process_time() - start) / 60
    dev = work / "dev.txt"
    rows = []
    for size in (1, options.beam):
        beam = {"components.parser.model.decoder.beam_size": size}
        nlp = spacy.load(work / "model-best", config=beam)
        begin = time.process_time()
        found = nlp.evaluate(list(BracketCorpus(dev)(nlp)))
        figures = [f"{100 * found[name]:.2f}" for name in ("brackets_f", "labelled_brackets_f")]
        rows.append(("greedy" if size == 1 else f"beam of {size}", *figures))
        msg.text(f"beam of {size}: evaluated in {time.process_time() - begin:.1f} s")
    for side in ("right", "left"):
        rows.append((f"branching to the {side}", f"{100 * baseline(nlp, dev, side):.2f}", ""))
    msg.divider("Dev split")
    msg.table(rows, header=("Trees", "F1", "Labelled F1"))
    msg.text(f"{minutes:.1f} minutes of processor time in training, evaluation included")


def main() -> None:
    parser = parser_for(__doc__, beam=8, train=10_000, dev=1_000)
    parser.add_argument("task", choices=["ewt", "listops"])
    parser.add_argument("--loss", choices=["likelihood", "margin"], default="likelihood")
    parser.add_argument("--work", type=Path)
    options, others = parser.parse_known_args()
    torch.set_num_threads(1)
    with nullcontext(options.work) if options.work else TemporaryDirectory() as work:
        run(options, others, Path(work))


if __name__ == "__main__":
    main()
