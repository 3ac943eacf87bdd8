"""Our BiLSTM tagger against spaCy's tagger on ``spacy.TorchBiLSTMEncoder.v1``, in one run.

    python benchmarks/tagger.py [--width 96] [--rounds 5] [--documents 1500] [--precision bfloat16]

Both read the same documents (UD English EWT, from ``RNNPIPE_DATA``), embed the same four attributes
(norm, prefix, suffix, shape) in the same number of rows and dimensions, and have an LSTM of the
same width in each direction. Training is ``nlp.update`` on batches of about ``--words`` words,
prediction is ``nlp.pipe`` from text. The two are measured in turn; the median ratio counts. Peak
memory is that of a fresh process that trains the same batches; `--no-memory` leaves it out.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import conllu
import spacy
import torch
from interleaved import race, seconds
from options import parser_for
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed

ATTRIBUTES = {"NORM": 5000, "PREFIX": 1000, "SUFFIX": 2500, "SHAPE": 2500}


def peer(width: int) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe(
        "tagger",
        config={
            "model": {
                "@architectures": "spacy.Tagger.v2",
                "tok2vec": {
                    "@architectures": "spacy.Tok2Vec.v2",
                    "embed": {
                        "@architectures": "spacy.MultiHashEmbed.v2",
                        "width": width,
                        "attrs": list(ATTRIBUTES),
                        "rows": list(ATTRIBUTES.values()),
                        "include_static_vectors": False,
                    },
                    "encode": {
                        "@architectures": "spacy.TorchBiLSTMEncoder.v1",
                        "width": width,
                        "depth": 1,
                        "dropout": 0.0,
                    },
                },
            }
        },
    )
    return nlp


def ours(width: int, precision: str) -> Language:
    nlp = spacy.blank("en")
    rows = {name.lower(): n for name, n in ATTRIBUTES.items()}
    nlp.add_pipe(
        "rnn_tagger",
        config={
            "model": {
                "@architectures": "rnnpipe.Network.v1",
                "embedding": {"@rnnpipe_embeddings": "rnnpipe.Hashed.v1", "width": width, **rows},
                # spaCy's width is that of both directions together
                "encoder": {"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": width // 2},
                "decoder": {"@rnnpipe_decoders": "rnnpipe.Softmax.v1"},
                "precision": precision,
            }
        },
    )
    return nlp


def read_sentences(path: Path, limit: int) -> list[tuple[list[str], list[str]]]:
    rows = []
    with path.open(encoding="utf8") as file:
        for sentence in islice(conllu.parse_incr(file), limit):
            words = [t for t in sentence if isinstance(t["id"], int)]
            rows.append(([t["form"] for t in words], [t["xpos"] for t in words]))
    return rows


def examples_for(nlp: Language, rows: list[tuple[list[str], list[str]]]) -> list[Example]:
    return [
        Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, tags=tags))
        for words, tags in rows
    ]


def batches_of(examples: list[Example], n_words: int) -> list[list[Example]]:
    """Batches of at most so many words; a longer document is a batch of its own."""
    batches: list[list[Example]] = []
    size = 0
    for example in examples:
        size += len(example.predicted)
        if size > n_words or not batches:
            batches.append([])
            size = len(example.predicted)
        batches[-1].append(example)
    return batches


class Contestant:
    """A pipeline, its batches, and what is measured of it."""

    def __init__(self, nlp: Language, rows: list[tuple[list[str], list[str]]], words: int) -> None:
        fix_random_seed(0)
        self.nlp = nlp
        examples = examples_for(nlp, rows)
        self.optimizer = nlp.initialize(lambda: examples)
        self.batches = batches_of(examples, words)
        self.texts = [" ".join(words) for words, _ in rows]

    def train(self) -> None:
        for batch in self.batches:  # nlp.update works on copies, so examples stay as they are
            self.nlp.update(batch, sgd=self.optimizer, drop=0.1)

    def predict(self) -> None:
        for _ in self.nlp.pipe(self.texts):
            pass


def arithmetic(width: int, batches: list[list[Example]]) -> float:
    """Seconds of the bare LSTM, forward and backward, over the same batches sorted by length."""
    lstm = torch.nn.LSTM(width, width // 2, batch_first=True)
    total = 0.0
    for batch in batches:
        lengths = sorted(len(example.predicted) for example in batch)
        half = len(lengths) // 2
        for part in (lengths[:half], lengths[half:]):
            if part:
                x = torch.randn(len(part), max(part), width, requires_grad=True)
                total += 2 * seconds(lambda x=x: lstm(x)[0].sum().backward())
    return total


def peak_memory(who: str, args: argparse.Namespace) -> float:
    """Megabytes at the peak of a fresh process that trains once over the documents."""
    command = [sys.executable, __file__, "--memory-of", who, "--width", str(args.width)]
    command += ["--documents", str(args.documents), "--words", str(args.words)]
    command += ["--precision", args.precision]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(out.splitlines()[-1])


def main() -> None:
    parser = parser_for(__doc__, width=96, rounds=5, documents=1500, words=1000)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--memory", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--memory-of", choices=["spaCy", "rnnpipe"])
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = Path(os.environ["RNNPIPE_DATA"]) / "ud-en-ewt"
    rows = read_sentences(next(data.glob("*train*.conllu")), args.documents)
    make = {"spaCy": lambda: peer(args.width), "rnnpipe": lambda: ours(args.width, args.precision)}
    if args.memory_of:
        Contestant(make[args.memory_of](), rows, args.words).train()
        status = Path("/proc/self/status").read_text()
        print(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024)
        return
    n_words = sum(len(words) for words, _ in rows)
    contestants = {who: Contestant(build(), rows, args.words) for who, build in make.items()}
    print(f"width {args.width}, {args.precision}, {n_words} words, torch {torch.__version__}")
    medians = race(contestants, ["train", "predict"], args.rounds, n_words, "words")
    share = arithmetic(args.width, contestants["rnnpipe"].batches) / medians["rnnpipe", "train"]
    print(f"LSTM's own arithmetic: {share:.0%} of our training time")
    for who in contestants if args.memory else ():
        print(f"peak memory of training, {who}: {peak_memory(who, args):,.0f} MB")


if __name__ == "__main__":
    main()
