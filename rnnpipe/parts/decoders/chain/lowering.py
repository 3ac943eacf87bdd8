"""When and how a chain's sums can be taken over probabilities instead of logarithms."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnpipe.parts.decoders.chain.potentials import Chain

#: The natural logarithm of the range of normal float64 numbers that sums may use, of 708.
RANGE = 690.0


@dataclass(frozen=True)
class Lowering:
    """What is taken off a chain's emissions before its scores become probabilities.

    peak: the largest emission.
    depth: how far below it the smallest finite one lies.
    interval: sums are to be rescaled after so many steps.
    """

    peak: float
    depth: float
    interval: int

    def lower(self, chain: Chain) -> Chain:
        """Return the same distribution in float64, with no emission above 0."""
        return replace(chain.double(), emissions=chain.emissions.double() - self.peak)


def find_lowering(chain: Chain) -> Lowering | None:
    """How to lower a chain, or ``None`` where nothing can be promised about underflow.

    Let the finite emissions spread over at most e nats and no other finite score be further than a
    from 0, so that two steps differ by at most ``s = e + 2 a``; and let any label reach any other
    in exactly k steps. Then the smallest sum at a node that is not zero is at least
    ``exp(-k s) / L^k`` of the largest, and the largest changes by at most a factor ``exp(s) L`` a
    step. So after n steps without rescaling, the product of a sum from the left and one from the
    right is off by at most ``exp((k + 2 n) (s + log L))``, which must fit.

    Reads the scores on the host, so only a chain on the CPU is lowered.
    """
    if chain.emissions.device.type != "cpu" or chain.emissions.numel() == 0:
        return None
    emissions, *others = (score.detach() for score in chain.scores)
    low, peak = (float(x) for x in torch.aminmax(emissions))
    away = _farthest(others)
    mixing: float = 1
    if away == math.inf:
        away = _farthest([score.masked_fill(score == -math.inf, 0.0) for score in others])
        mixing = _mixing_steps(chain.transitions.detach().numpy())
    if low == -math.inf:
        possible = emissions > low
        low = float(emissions.masked_fill(~possible, peak).amin())
        if not _free_or_known(possible):
            # Some labels may be kept apart from others for any time.
            mixing = chain.structure.size
    depth, size = peak - low, chain.structure.size
    interval = (RANGE / (depth + 2 * away + math.log(len(chain.end)) + 1e-9) - mixing) / 2
    # Asked this way round, NaN is not safe either.
    return Lowering(peak, depth, int(min(interval, size))) if interval >= 1 else None


def _farthest(scores: list[Tensor]) -> float:
    """Return the largest distance from 0. Unlike Python's ``max``, NumPy's passes NaN on."""
    return float(np.max([np.abs(score.numpy()).max(initial=0.0) for score in scores]))


def _free_or_known(possible: Tensor) -> bool:
    """Return whether at each node all labels are possible, or one: then a sum that is not zero and
    leads to the end is as large as the argument says, as it starts anew wherever there is one
    label."""
    labels = possible.sum(-1)
    return bool(((labels == 1) | (labels == possible.shape[-1])).all())


def _mixing_steps(transitions: NDArray[Any]) -> float:
    """In how many steps any label reaches any other: 1, or 3, which is enough for every tag scheme,
    or infinity for more."""
    legal = transitions > -math.inf
    if legal.all():
        return 1
    steps = np.logical_and.reduce(legal.reshape(-1, *legal.shape[-2:])).astype(np.float32)
    return 3 if (steps @ steps @ steps > 0).all() else math.inf
