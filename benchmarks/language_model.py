"""Training a character language model by ``spacy train`` against a bare PyTorch loop, in one run.

    python benchmarks/language_model.py [--width 512] [--rounds 5] [--steps 4]

Two layers of LSTM with dropout, batches of 50 streams of 100 characters whose states are carried
along, Adam, gradients clipped: once as the update loop of ``spacy train`` with our component, from
the text file to the optimizer's step, and once as ``torch.nn.LSTM`` with torch's fused Adam over
symbols that are in memory. The text is tinyshakespeare, from ``RNNPIPE_DATA``. Both are measured in
turn, by processor time, with `--steps` steps per round; the median ratio counts.

``--precision bfloat16`` measures our component in that precision against float32, if the processor
computes in it. ``--memory`` trains small models on a text and on one ten times as long, each in a
fresh process, and prints their peak memory.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import torch
from interleaved import race
from options import parser_for
from spacy.training.loop import train_while_improving
from spacy.util import fix_random_seed
from thinc.api import Adam
from torch import nn

from rnnpipe.training.corpora.stream import StreamBatcher, TextStream

STREAMS, CHUNK, EMBEDDING, DROPOUT, LEARN_RATE, CLIP = 50, 100, 64, 0.2, 0.002, 1.0


class Spacy:
    """Our component in the loop that ``spacy train`` runs."""

    def __init__(self, path: Path, width: int, steps: int, precision: str = "float32") -> None:
        fix_random_seed(0)
        self.nlp = spacy.blank("en")
        corpus = TextStream(path, streams=STREAMS, chunk=CHUNK)
        self.nlp.add_pipe("rnn_lm", config={"model": model(width, precision), "end_symbol": False})
        self.nlp.get_pipe("rnn_lm").initialize(list, nlp=self.nlp, corpus=corpus)
        self.steps = steps
        self.updates = self._updates(corpus)

    def _updates(self, corpus: Any) -> Iterator[Any]:
        def batches() -> Iterator[Any]:
            while True:
                for number, batch in enumerate(StreamBatcher()(corpus(self.nlp))):
                    if len(batch) == STREAMS:
                        yield number, batch

        return train_while_improving(
            self.nlp,
            Adam(LEARN_RATE, grad_clip=CLIP),
            batches(),
            evaluate=lambda: (0.0, {}),
            dropout=DROPOUT,
            eval_frequency=10**9,
            accumulate_gradient=1,
            patience=0,
            max_steps=0,
            exclude=[],
            annotating_components=[],
            before_update=None,
        )

    def train(self) -> None:
        for _ in islice(self.updates, self.steps):
            pass


def model(width: int, precision: str) -> dict[str, Any]:
    return {
        "@architectures": "rnnpipe.LanguageModel.v1",
        "symbols": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
        "encoder": {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": width, "depth": 2},
        "output": {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"},
        "width": EMBEDDING,
        "precision": precision,
    }


class Bare:
    """The same network, optimizer and data, and nothing around them."""

    def __init__(self, path: Path, width: int, steps: int) -> None:
        torch.manual_seed(0)
        characters, numbers = np.unique(list(path.read_text(encoding="utf8")), return_inverse=True)
        length = len(numbers) // STREAMS
        self.text = torch.from_numpy(numbers[: length * STREAMS].reshape(STREAMS, length))
        self.embedding = nn.Embedding(len(characters), EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, width, 2, dropout=DROPOUT, batch_first=True)
        self.output = nn.Linear(width, len(characters))
        self.dropout = nn.Dropout(DROPOUT)
        parts = (self.embedding, self.lstm, self.output)
        self.weights = [weight for part in parts for weight in part.parameters()]
        self.optimizer = torch.optim.Adam(self.weights, LEARN_RATE, fused=True)
        self.steps = steps
        self.begin, self.state = 0, None

    def train(self) -> None:
        for _ in range(self.steps):
            if self.begin + CHUNK >= self.text.shape[1]:
                self.begin, self.state = 0, None
            window = self.text[:, self.begin : self.begin + CHUNK + 1]
            states, state = self.lstm(self.dropout(self.embedding(window[:, :-1])), self.state)
            logits = self.output(self.dropout(states))
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), window[:, 1:].flatten())
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.weights, CLIP)
            self.optimizer.step()
            self.state = tuple(s.detach() for s in state)
            self.begin += CHUNK
            loss.item()  # spaCy's loop adds up the losses


def has_bfloat16() -> bool:
    """Whether the processor has instructions for it, so that there is something to gain."""
    flags = Path("/proc/cpuinfo").read_text().split()
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & set(flags))


def peak_memory(path: Path) -> float:
    """Megabytes at the peak of a fresh process that trains once over a file."""
    command = [sys.executable, __file__, "--memory-of", str(path)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(out.splitlines()[-1])


def train_once(path: Path) -> None:
    """Go once over a text with a small model, and print the peak of the memory."""
    n_steps = path.stat().st_size // (STREAMS * CHUNK)
    Spacy(path, width=32, steps=n_steps).train()
    status = Path("/proc/self/status").read_text()
    print(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024)


def main() -> None:
    parser = parser_for(__doc__, width=512, rounds=5, steps=4)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--memory-of", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.memory_of:
        train_once(args.memory_of)
        return
    path = Path(os.environ["RNNPIPE_DATA"]) / "tinyshakespeare" / "input.txt"
    if args.memory:
        with tempfile.TemporaryDirectory() as folder:
            for times in (1, 10):
                text = Path(folder) / "text"
                text.write_text(path.read_text(encoding="utf8")[:200_000] * times, encoding="utf8")
                size = text.stat().st_size / 1e6
                print(f"{size:4.1f} MB of text: {peak_memory(text):,.0f} MB at the peak")
        return
    print(f"2 x LSTM {args.width}, batch {STREAMS} x {CHUNK}, torch {torch.__version__}")
    contestants: dict[str, Any] = {"PyTorch": Bare(path, args.width, args.steps)}
    if args.precision == "float32":
        contestants["rnnpipe"] = Spacy(path, args.width, args.steps)
    elif has_bfloat16():
        contestants = {
            precision: Spacy(path, args.width, args.steps, precision)
            for precision in ("float32", "bfloat16")
        }
    else:
        sys.exit("This processor has no bfloat16 instructions: nothing was measured.")
    race(contestants, ["train"], args.rounds, STREAMS * CHUNK * args.steps, "symbols")


if __name__ == "__main__":
    main()
