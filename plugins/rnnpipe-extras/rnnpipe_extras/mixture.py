"""``extras.MixtureOfSoftmaxes.v1``: a last layer whose distributions are of higher rank."""

from __future__ import annotations

from functools import partial
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.api import OutputBuilder, PositiveInt, outputs


@outputs("extras.MixtureOfSoftmaxes.v1")
def MixtureOfSoftmaxes(mixtures: PositiveInt = 5) -> OutputBuilder:
    """``p = sum_k pi_k softmax(W h_k + b)``, ``h_k = tanh(U_k x)``, ``pi = softmax(V x)`` (Yang et
    al. 2018, Breaking the Softmax Bottleneck). It costs ``mixtures`` times the one softmax.

    mixtures: how many.
    """
    return cast(OutputBuilder, partial(MixtureOutput, mixtures=mixtures))


class MixtureOutput(nn.Module):
    """n_in: width of the states. embedding: ``(V, D)``, for the number of symbols."""

    def __init__(self, n_in: int, embedding: Tensor, mixtures: int) -> None:
        super().__init__()
        self.mixtures = mixtures
        self.share = nn.Linear(n_in, mixtures, bias=False)
        self.hidden = nn.Linear(n_in, mixtures * n_in)
        self.output = nn.Linear(n_in, embedding.shape[0])

    def score(self, x: Tensor, targets: np.ndarray) -> Tensor:
        gold = torch.from_numpy(targets).to(x.device)
        return self.log_probabilities(x).gather(1, gold.unsqueeze(1)).squeeze(1)

    def log_probabilities(self, x: Tensor) -> Tensor:
        """``(N, n_in) -> (N, V)``, float32 also under autocast."""
        hidden = torch.unflatten(self.hidden(x).tanh(), 1, (self.mixtures, -1))  # (N, K, n_in)
        each = self.output(hidden).float().log_softmax(-1)  # (N, K, V)
        shares = F.log_softmax(self.share(x).float(), dim=-1)  # (N, K)
        return torch.logsumexp(shares.unsqueeze(2) + each, dim=1)
