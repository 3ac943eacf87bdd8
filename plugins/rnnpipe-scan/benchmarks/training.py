"""minGRU against torch's GRU: training, tokens a second, in one run.

    python benchmarks/training.py [--rounds 7] [--documents 16] [--lengths 128 512 2048]

One layer, width 128, forward and backward, on one thread. The two take turns, so that
whatever else the machine does slows both alike; the median of the rounds' ratios is printed. With
numba (``pip install rnnpipe-scan[fast]``) the scan is a compiled loop, with ``--parallel`` torch's.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import nullcontext

import torch
from rnnpipe_scan.encoders import MinGRU
from torch import nn

from rnnpipe.api import Sequences
from rnnpipe.testing import without_kernels

WIDTH = 128


def step(documents: int, length: int):
    """A training step of each contestant, on the same documents."""
    x = torch.randn(documents, length, WIDTH, requires_grad=True)
    structure = Sequences.of([length] * documents)
    gru, ours = nn.GRU(WIDTH, WIDTH, batch_first=True), MinGRU(width=WIDTH)(WIDTH)
    return {
        "nn.GRU": lambda: gru(x)[0].square().sum().backward(),
        "minGRU": lambda: ours(x, structure).states.square().sum().backward(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--documents", type=int, default=16)
    parser.add_argument("--lengths", type=int, nargs="+", default=[128, 512, 2048])
    parser.add_argument("--parallel", action="store_true", help="torch's scan, without numba")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with without_kernels() if arguments.parallel else nullcontext():
        compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    print("length     nn.GRU     minGRU   ratio   (tokens a second of processor time)")
    for length in arguments.lengths:
        rates: dict[str, list[float]] = {}
        for number in range(arguments.rounds + 1):
            for name, train in step(arguments.documents, length).items():
                start = time.process_time()
                train()
                if number:  # the first round warms up
                    spent = time.process_time() - start
                    rates.setdefault(name, []).append(arguments.documents * length / spent)
        ratio = statistics.median(b / a for a, b in zip(*rates.values(), strict=True))
        speeds = "".join(f"{statistics.median(r):11,.0f}" for r in rates.values())
        print(f"{length:6}{speeds}{ratio:8.2f}")


if __name__ == "__main__":
    main()
