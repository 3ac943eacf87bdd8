"""Our BiLSTM against torch's, in one run.

    python benchmarks/encoders.py [--rounds 9] [--shapes 48x80 96x20] [--precision bfloat16]

packed: torch's bidirectional LSTM over packed sequences, as exact as ours.
padded: the same over padded ones, as spaCy's encoder has it; its backward half reads the padding.

All read the same padded, unsorted batches of sentences and give padded states. They are measured in
turn, on one thread, in processor time, so that other processes on the machine count less; the
medians of the rounds' rates, in words and not positions a second, and of their ratios are printed.
"""

from __future__ import annotations

import random
import statistics
import time
from contextlib import AbstractContextManager

import torch
from options import parser_for
from torch import Tensor, nn

from rnnpipe.parts.encoders.sequence.bidirectional import BiLSTM
from rnnpipe.structures import Sequences

#: Width of the input and of each direction, and how many sentences share a batch.
SHAPES = ((48, 80), (96, 20), (96, 80), (96, 400), (256, 20), (256, 80))


class Padded(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor, structure: Sequences) -> Tensor:
        states: Tensor = self.lstm(x)[0]
        return states


class Packed(Padded):
    def forward(self, x: Tensor, structure: Sequences) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(
            x, structure.lengths, batch_first=True, enforce_sorted=False
        )
        return nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]


class Ours(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder = BiLSTM(width=width)(width)

    def forward(self, x: Tensor, structure: Sequences) -> Tensor:
        states: Tensor = self.encoder(x, structure).states
        return states


def sentence_lengths(n: int, seed: int) -> list[int]:
    """About those of English web text: 5 to 40 tokens, 16 on average."""
    rng = random.Random(seed)
    return [min(40, max(5, round(rng.gammavariate(2.5, 6.5)))) for _ in range(n)]


def predict(encoder: nn.Module, x: Tensor, structure: Sequences) -> None:
    with torch.no_grad():
        encoder(x, structure)


def train(encoder: nn.Module, x: Tensor, structure: Sequences) -> None:
    encoder.zero_grad()
    x.grad = None
    encoder(x, structure).float().square().sum().backward()


def compare(width: int, batch_size: int, rounds: int, bfloat16: bool) -> None:
    lengths = sentence_lengths(batch_size, seed=width + batch_size)
    n_words, structure = sum(lengths), Sequences.of(lengths)
    x = torch.randn(batch_size, structure.size, width, requires_grad=True)
    encoders = {"packed": Packed(width), "padded": Padded(width), "ours": Ours(width)}
    precision: AbstractContextManager[object] = torch.autocast("cpu", enabled=bfloat16)
    for task in (predict, train):
        rates: dict[str, list[float]] = {name: [] for name in encoders}
        for number in range(rounds + 1):
            for name, encoder in encoders.items():
                start = time.process_time()
                with precision:
                    task(encoder, x, structure)
                if number:  # the first round warms up
                    rates[name].append(n_words / (time.process_time() - start))
        medians = "".join(f"{statistics.median(rates[name]):10,.0f}" for name in encoders)
        pairs = [zip(rates["ours"], rates[peer], strict=True) for peer in ("packed", "padded")]
        ratios = "".join(f"{statistics.median(o / p for o, p in rounds):9.2f}" for rounds in pairs)
        print(f"{width:5}{batch_size:10}{n_words:7}  {task.__name__:8}{medians}{ratios}")


def main() -> None:
    parser = parser_for(__doc__, rounds=9, shapes=SHAPES)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    capability = torch.backends.cpu.get_cpu_capability()
    print(f"torch {torch.__version__}, {capability}, {arguments.precision}, words/s")
    print("width sentences  words  task        packed    padded      ours  /packed  /padded")
    for width, batch_size in arguments.shapes:
        compare(width, batch_size, arguments.rounds, arguments.precision == "bfloat16")


if __name__ == "__main__":
    main()
