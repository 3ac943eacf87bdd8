"""``extras.TopNSigma.v1`` and ``extras.Eta.v1``: what may come next, by how sure a model is."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from rnnpipe.api import Alphabet, FilterBuilder, PositiveFloat, PositiveShare, filters


@filters("extras.TopNSigma.v1")
def TopNSigma(n: PositiveFloat = 1.0) -> FilterBuilder:
    """Keep the symbols whose logit is at most n standard deviations of all logits below the
    greatest (Tang et al. 2024, Top-n-sigma). Temperature does not change which these are.

    n: how many.
    """
    return partial(TopNSigmaFilter, n=n)


class TopNSigmaFilter:
    def __init__(self, alphabet: Alphabet, n: float) -> None:
        self.n = n

    def __call__(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        possible = log_probabilities > -torch.inf
        count = possible.sum(-1, keepdim=True).clamp(min=1)
        logits = log_probabilities.masked_fill(~possible, 0.0)
        mean = logits.sum(-1, keepdim=True) / count
        deviation = (logits - mean).masked_fill(~possible, 0.0)
        sigma = (deviation.square().sum(-1, keepdim=True) / count).sqrt()
        least = log_probabilities.amax(-1, keepdim=True) - self.n * sigma
        return log_probabilities.masked_fill(log_probabilities < least, -torch.inf)


@filters("extras.Eta.v1")
def Eta(epsilon: PositiveShare = 0.002) -> FilterBuilder:
    """Eta sampling (Hewitt et al. 2022, Truncation Sampling as Language Model Desmoothing): keep
    the symbols with a probability of at least ``min(epsilon, sqrt(epsilon) exp(-H))``, H the
    entropy in nats, and the most likely one.

    epsilon: the bound where the model is sure.
    """
    return partial(EtaFilter, epsilon=epsilon)


class EtaFilter:
    def __init__(self, alphabet: Alphabet, epsilon: float) -> None:
        self.log_epsilon = math.log(epsilon)

    def __call__(self, log_probabilities: Tensor, history: Tensor) -> Tensor:
        normalized = log_probabilities.log_softmax(-1)
        entropy = torch.special.entr(normalized.exp()).sum(-1, keepdim=True)
        bound = (0.5 * self.log_epsilon - entropy).clamp(max=self.log_epsilon)
        least = torch.minimum(bound, normalized.amax(-1, keepdim=True))
        return log_probabilities.masked_fill(normalized < least, -torch.inf)
