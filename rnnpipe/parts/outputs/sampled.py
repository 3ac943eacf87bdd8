"""``rnnpipe.SampledSoftmax.v1``: training that looks at a sample of a large vocabulary."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from rnnpipe.contracts.registry import outputs
from rnnpipe.contracts.types import PositiveInt
from rnnpipe.parts.outputs.full import SoftmaxOutput


@outputs("rnnpipe.SampledSoftmax.v1")
@dataclass(frozen=True)
class SampledSoftmax:
    """``log softmax(W x + b)``, but in training its normaliser is estimated (importance sampling:
    Bengio and Senecal 2008, Adaptive Importance Sampling to Accelerate Training of a Neural
    Probabilistic Language Model; Jean et al. 2015). With w the target, and S symbols k drawn from
    q, the same ones for all positions of a batch::

        log p(w) = s_w - log(exp(s_w) + sum over k != w of exp(s_k) / (S q(k)))
        q(k) = (log(k + 2) - log(k + 1)) / log(V + 1)

    q is near to Zipf's law, as symbols are numbered by how frequent they are. Evaluation and
    generation take the full softmax.

    samples: S. tied: W is the embedding of the symbols, as in ``rnnpipe.TiedSoftmax.v1``.
    """

    samples: PositiveInt = 1000
    tied: bool = False

    def __call__(self, n_in: int, embedding: Tensor) -> SampledSoftmaxOutput:
        return SampledSoftmaxOutput(n_in, embedding, self)


class SampledSoftmaxOutput(SoftmaxOutput):
    """n_in, embedding: see :class:`~rnnpipe.parts.outputs.full.SoftmaxOutput`."""

    def __init__(self, n_in: int, embedding: Tensor, settings: SampledSoftmax) -> None:
        super().__init__(n_in, embedding, settings.tied)
        self.samples = settings.samples

    def score(self, x: Tensor, targets: np.ndarray) -> Tensor:
        """In training, an estimate that flatters a little: the normaliser is right on average, so
        the mean of its logarithm, which is concave, is too low."""
        if not self.training:
            return super().score(x, targets)
        gold = torch.from_numpy(targets).to(x.device)
        n_symbols = len(self.bias)
        uniform = torch.rand(self.samples, device=x.device, dtype=torch.float64)
        drawn = torch.expm1(uniform * math.log1p(n_symbols)).long().clamp(max=n_symbols - 1)  # (S,)
        expected = torch.log1p(1 / (drawn + 1.0)) * self.samples / math.log1p(n_symbols)  # S q(k)
        logit = (x * F.embedding(gold, self.weight)).sum(-1) + self.bias[gold]  # (N,)
        others = F.linear(x, self.weight.index_select(0, drawn), self.bias[drawn])  # (N, S)
        others = others.float() - expected.log()
        others = others.masked_fill(drawn == gold.unsqueeze(-1), -torch.inf)
        logit = logit.float()
        return logit - torch.cat([logit.unsqueeze(-1), others], dim=-1).logsumexp(-1)
