"""Our BiLSTM against torch's, bidirectional over packed sequences, in one run.

    python benchmarks/encoders.py [--rounds 9] [--precision bfloat16]

Both read the same padded batches of sentences, unsorted, and give padded states. The encoders are
measured in turn, on one thread; the medians and the median of the rounds' ratios are printed. Words
are counted, not positions.
"""

from __future__ import annotations

import argparse
import functools
import random
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from rnnpipe.encoders.bidirectional import BiLSTM
from rnnpipe.structures import Sequences

#: Width of each direction and of the input, and how many sentences share a batch.
SHAPES = [(48, 80), (96, 20), (96, 80), (256, 20), (256, 80)]


class Packed(nn.Module):
    """The exact way in torch: packed sequences."""

    def __init__(self, n_in: int, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(n_in, width, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor, structure: Sequences) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(
            x, structure.lengths, batch_first=True, enforce_sorted=False
        )
        return nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]


class Ours(nn.Module):
    def __init__(self, n_in: int, width: int) -> None:
        super().__init__()
        self.encoder = BiLSTM(width=width)(n_in)

    def forward(self, x: Tensor, structure: Sequences) -> Tensor:
        states: Tensor = self.encoder(x, structure).states
        return states


def sentence_lengths(n: int, seed: int) -> list[int]:
    """About those of English web text: 5 to 40 tokens, 16 on average."""
    rng = random.Random(seed)
    return [min(40, max(5, round(rng.gammavariate(2.5, 6.5)))) for _ in range(n)]


def seconds(task: Callable[[], None]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def predict(encoder: nn.Module, x: Tensor, structure: Sequences) -> None:
    with torch.no_grad():
        encoder(x, structure)


def train(encoder: nn.Module, x: Tensor, structure: Sequences) -> None:
    encoder.zero_grad()
    x.grad = None
    encoder(x, structure).float().square().sum().backward()


def compare(width: int, batch_size: int, rounds: int, precision: torch.dtype) -> None:
    lengths = sentence_lengths(batch_size, seed=width + batch_size)
    n_words, structure = sum(lengths), Sequences.of(lengths)
    x = torch.randn(batch_size, structure.size, width, requires_grad=True)
    encoders = {"packed": Packed(width, width), "ours": Ours(width, width)}
    for task in (predict, train):
        times: dict[str, list[float]] = {name: [] for name in encoders}
        for number in range(rounds + 1):
            for name, encoder in encoders.items():
                enabled = precision is not torch.float32
                with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
                    elapsed = seconds(functools.partial(task, encoder, x, structure))
                if number:  # the first round warms up
                    times[name].append(elapsed)
        rates = [n_words / statistics.median(times[name]) for name in encoders]
        ratio = statistics.median(
            p / o for p, o in zip(times["packed"], times["ours"], strict=True)
        )
        shape = f"{width:5} {batch_size:9} {n_words:6}"
        print(f"{shape}  {task.__name__:8}{rates[0]:10,.0f}{rates[1]:10,.0f}{ratio:8.2f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, words/s")
    print("width sentences  words  task        packed      ours   ratio")
    for width, batch_size in SHAPES:
        compare(width, batch_size, arguments.rounds, getattr(torch, arguments.precision))


if __name__ == "__main__":
    main()
