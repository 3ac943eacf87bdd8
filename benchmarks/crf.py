"""CRF loss with gradient, and Viterbi, as ratios to pytorch-crf in one interleaved run.

    python benchmarks/crf.py [--rounds 7]

One thread, float32. Each round runs every implementation once after the other on the same scores;
the table shows the median over the rounds of the round's ratio, peer time / our time. "full": all
documents have the same length; "varied": lengths between 1 and the given one.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from unittest.mock import patch

import torch
import torchcrf

from rnnpipe.decoders.chain import scaled, search
from rnnpipe.decoders.chain.partition import log_probability
from rnnpipe.decoders.chain.potentials import Chain
from rnnpipe.structures import Sequences

SIZES = ((32, 40, 17), (64, 100, 9), (16, 200, 50))
#: What the ratios are meant to reach: loss with gradient, Viterbi.
TARGETS = {"torch": (4.8, 1.3), "numba": (18.0, 19.0)}


class Case:
    """The same random scores, gold labels and lengths for every implementation."""

    def __init__(self, batch: int, size: int, n_labels: int, varied: bool) -> None:
        generator = torch.Generator().manual_seed(0)
        self.peer = torchcrf.CRF(n_labels, batch_first=True)
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
        return float(loss)

    def our_loss(self) -> float:
        self.clear()
        loss = -log_probability(self.chain(), self.gold).sum()
        loss.backward()
        return float(loss)

    def peer_viterbi(self) -> list[list[int]]:
        with torch.no_grad():
            paths: list[list[int]] = self.peer.decode(self.emissions, mask=self.mask)
        return paths

    def our_viterbi(self) -> list[list[int]]:
        paths = search.viterbi(self.chain()).tolist()
        return [path[:n] for path, n in zip(paths, self.structure.lengths.tolist(), strict=True)]
