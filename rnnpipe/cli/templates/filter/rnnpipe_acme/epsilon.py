"""``acme.Epsilon.v1``: exclude symbols below a minimum probability."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from rnnpipe.api import Alphabet, FilterBuilder, PositiveShare, filters


@filters("acme.Epsilon.v1")
def Epsilon(epsilon: PositiveShare = 0.01) -> FilterBuilder:
    """Keep the symbols with a probability of at least epsilon, and the most likely one (Hewitt et
    al. 2022, Truncation Sampling as Language Model Desmoothing).

    epsilon: the minimum probability.
    """
    return partial(EpsilonFilter, epsilon=epsilon)


class EpsilonFilter:
    def __init__(self, alphabet: Alphabet, epsilon: float) -> None:
        self.log_epsilon = math.log(epsilon)

    def __call__(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        """``(..., V)``, -inf where a symbol is excluded. history: the symbols so far."""
        normalized = log_probabilities.log_softmax(-1)
        least = normalized.amax(-1, keepdim=True).clamp(max=self.log_epsilon)
        return log_probabilities.masked_fill(normalized < least, -torch.inf)
