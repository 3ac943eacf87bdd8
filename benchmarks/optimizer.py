"""The optimizer step of thinc's PyTorchShim against ours, in one interleaved run.

    python benchmarks/optimizer.py [--rounds 51] [--width 172]

One thread, float32, a BiLSTM of 1.23 million parameters in 16 tensors. Each round gives both the
same gradients and lets them step one after the other, in turns first; the table shows the median
CPU time of each (others' load matters less than for wall time) and the median over the rounds of
thinc's time / our time.
"""

from __future__ import annotations

import platform
import statistics
import time
from importlib.metadata import version

import torch
from options import parser_for
from thinc.api import SGD, Adam, Optimizer, PyTorchShim, RAdam
from torch import nn

from rnnpipe.shim.torch_shim import TorchShim

#: What the ratio is meant to reach with Adam, with and without averages.
TARGET = 4.0
CASES = {
    "Adam": lambda averages: Adam(0.001, use_averages=averages),
    "Adam, spaCy's defaults": lambda averages: Adam(0.001, L2=0.01, use_averages=averages),
    "RAdam": lambda averages: RAdam(0.001, use_averages=averages),
    "SGD": lambda averages: SGD(0.001, use_averages=averages),
}


def network(width: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.LSTM(200, width, num_layers=2, bidirectional=True)


def seconds(shim: PyTorchShim, optimizer: Optimizer, gradients: list[torch.Tensor]) -> float:
    for parameter, gradient in zip(shim._model.parameters(), gradients, strict=True):
        parameter.grad = gradient.clone()
    start = time.thread_time()
    shim.finish_update(optimizer)
    return time.thread_time() - start


def compare(make_optimizer, averages: bool, width: int, rounds: int) -> tuple[float, float, float]:
    """Median seconds of thinc's and of our step, and the median of the rounds' ratios."""
    shims = (PyTorchShim(network(width)), TorchShim(network(width)))
    pairs = [(shim, make_optimizer(averages)) for shim in shims]
    generator = torch.Generator().manual_seed(0)
    times: list[tuple[float, float]] = []
    for i in range(rounds + 5):
        gradients = [
            torch.randn(p.shape, generator=generator) * 0.01
            for p in pairs[0][0]._model.parameters()
        ]
        order = (0, 1) if i % 2 else (1, 0)
        took = {which: seconds(*pairs[which], gradients) for which in order}
        times.append((took[0], took[1]))
    warm = times[5:]
    theirs, ours = zip(*warm, strict=True)
    ratio = statistics.median(a / b for a, b in warm)
    return statistics.median(theirs), statistics.median(ours), ratio


def main() -> None:
    options = parser_for(__doc__, rounds=51, width=172).parse_args()
    width, rounds = options.width, options.rounds
    torch.set_num_threads(1)
    sizes = [p.numel() for p in network(width).parameters()]
    print(f"{sum(sizes):,} parameters in {len(sizes)} tensors; {platform.processor() or 'cpu'}")
    print(f"torch {version('torch')}, thinc {version('thinc')}, {rounds} rounds\n")
    print(f"{'':<24}{'averages':<10}{'thinc ms':>10}{'ours ms':>10}{'ratio':>8}")
    for name, make_optimizer in CASES.items():
        for averages in (False, True):
            theirs, ours, ratio = compare(make_optimizer, averages, width, rounds)
            missed = name.startswith("Adam") and ratio < TARGET
            print(
                f"{name:<24}{'yes' if averages else 'no':<10}"
                f"{theirs * 1e3:>10.2f}{ours * 1e3:>10.2f}{ratio:>8.1f}"
                + (f"  below {TARGET}" if missed else "")
            )


if __name__ == "__main__":
    main()
