"""CRF loss with gradient, and Viterbi, as ratios to pytorch-crf in one interleaved run.

    python benchmarks/crf.py [--rounds 9] [--sizes 32x40x17 64x100x9]

One thread, float32, CPU time. A size is the number of documents, of tokens per document and of
labels. Each round runs the peer and ours one after the other on the same scores; the table shows
the median over the rounds of the round's ratio, peer time / our time.
"full": all documents have the same length; "varied": lengths between 1 and the given one.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from unittest.mock import patch

import torch
from options import has_peer, parser_for

from rnnpipe.parts.decoders.chain import compiled, search
from rnnpipe.parts.decoders.chain.partition import surprisal
from rnnpipe.parts.decoders.chain.potentials import Chain
from rnnpipe.structures import Sequences

SIZES = ((32, 40, 17), (64, 100, 9), (16, 200, 50))
#: How long one measurement goes on, in seconds.
BLOCK = 0.03
#: What the ratios are meant to reach: loss with gradient, Viterbi.
TARGETS = {"torch": (4.8, 1.3), "numba": (18.0, 19.0)}


class Case:
    """The same random scores, gold labels and lengths for every implementation."""

    def __init__(self, batch: int, size: int, n_labels: int, varied: bool) -> None:
        generator = torch.Generator().manual_seed(0)
        from torchcrf import CRF

        self.peer = CRF(n_labels, batch_first=True)
        self.emissions = torch.randn(batch, size, n_labels, generator=generator) * 2
        self.emissions.requires_grad_()
        self.gold = torch.randint(n_labels, (batch, size), generator=generator)
        lengths = torch.randint(1, size + 1, (batch,), generator=generator)
        lengths[0] = size
        self.structure = Sequences.of(lengths.tolist() if varied else [size] * batch)
        self.mask = self.structure.mask

    def chain(self) -> Chain:
        peer = self.peer
        scores = (peer.transitions, peer.start_transitions, peer.end_transitions)
        return Chain(self.emissions, *scores, self.structure)

    def clear(self) -> None:
        self.emissions.grad = None
        self.peer.zero_grad()

    def peer_loss(self) -> float:
        self.clear()
        loss = -self.peer(self.emissions, self.gold, mask=self.mask)
        loss.backward()
        return float(loss.detach())

    def our_loss(self) -> float:
        self.clear()
        loss = surprisal(self.chain(), self.gold).sum()
        loss.backward()
        return float(loss.detach())

    def peer_viterbi(self) -> list[list[int]]:
        with torch.no_grad():
            paths: list[list[int]] = self.peer.decode(self.emissions, mask=self.mask)
        return paths

    def our_viterbi(self) -> list[list[int]]:
        paths = search.viterbi(self.chain()).tolist()
        return [path[:n] for path, n in zip(paths, self.structure.lengths.tolist(), strict=True)]

    def check(self) -> None:
        """Stops if the implementations do not agree."""
        ours, theirs = self.our_loss(), self.peer_loss()
        assert abs(ours - theirs) < 1e-4 * abs(theirs), (ours, theirs)
        for ours, theirs in zip(self.our_viterbi(), self.peer_viterbi(), strict=True):
            # Both are right where two sequences differ by no more than float32 can tell.
            assert ours == theirs or sum(a != b for a, b in zip(ours, theirs, strict=True)) < 5


def without_kernels(function: Callable[[], object]) -> Callable[[], object]:
    """``function`` in torch alone."""

    def run() -> object:
        with patch.object(compiled, "kernels", lambda module: None):
            return function()

    return run


def seconds(function: Callable[[], object]) -> float:
    """CPU time of a call, averaged over calls for at least ``BLOCK`` seconds."""
    begin, calls = time.process_time(), 0
    while (spent := time.process_time() - begin) < BLOCK:
        function()
        calls += 1
    return spent / calls


def measure(case: Case, rounds: int) -> None:
    paths: dict[str, Callable[[Callable[[], object]], Callable[[], object]]]
    paths = {"torch": without_kernels}
    if find_spec("numba"):
        paths["numba"] = lambda function: function
    works: dict[str, tuple[Callable[[], object], Callable[[], object]]]
    works = {"loss+grad": (case.peer_loss, case.our_loss)}
    works["viterbi"] = (case.peer_viterbi, case.our_viterbi)
    for name, wrap in paths.items():
        wrap(case.check)()
        for i, (work, (peer, ours)) in enumerate(works.items()):
            times = [(seconds(peer), seconds(wrap(ours))) for _ in range(rounds)]
            ratio = statistics.median(theirs / mine for theirs, mine in times)
            theirs, mine = (statistics.median(x) * 1e3 for x in zip(*times, strict=True))
            target = TARGETS[name][i]
            verdict = "" if ratio >= target else "  MISSED"
            print(
                f"    {work:<10} {name:<6} {theirs:8.2f} ms {mine:8.2f} ms "
                f"{ratio:7.1f}x  (target {target}x){verdict}"
            )


def main() -> None:
    options = parser_for(__doc__, rounds=9, sizes=SIZES).parse_args()
    if not has_peer("pytorch-crf", "torchcrf"):
        return
    torch.set_num_threads(1)
    names = ("torch", "pytorch-crf", "numba")
    print(f"Python {platform.python_version()}", *(f"{n} {_version(n)}" for n in names), sep=", ")
    print(f"median of {options.rounds} rounds: peer, ours, ratio")
    for size in options.sizes:
        for varied in (False, True):
            print("batch {}, length {}, labels {}".format(*size), "varied" if varied else "full")
            measure(Case(*size, varied), options.rounds)


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
