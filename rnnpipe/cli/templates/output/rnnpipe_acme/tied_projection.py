"""``acme.TiedProjection.v1``: an output layer that shares the embedding of any width."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.api import OutputBuilder, outputs


@outputs("acme.TiedProjection.v1")
def TiedProjection() -> OutputBuilder:
    """``log softmax(E P x + b)``, E the embedding of the symbols, and P a projection of the states
    to its width (Inan et al. 2017, Tying Word Vectors and Word Classifiers, section 3)."""
    return TiedProjectionOutput


class TiedProjectionOutput(nn.Module):
    """n_in: width of the states. embedding: E, ``(V, D)``, which the model also trains."""

    def __init__(self, n_in: int, embedding: Tensor) -> None:
        super().__init__()
        n_symbols, width = embedding.shape
        self.weight = embedding
        self.projection = nn.Linear(n_in, width, bias=False)
        self.bias = nn.Parameter(torch.zeros(n_symbols))

    def score(self, x: Tensor, targets: np.ndarray) -> Tensor:
        """``(N,)`` the log-probability of each target."""
        gold = torch.from_numpy(targets).to(x.device)
        return -F.cross_entropy(self._logits(x), gold, reduction="none")

    def log_probabilities(self, x: Tensor) -> Tensor:
        """``(N, n_in) -> (N, V)`` in nats."""
        return self._logits(x).log_softmax(-1)

    def _logits(self, x: Tensor) -> Tensor:
        """``(N, V)``, float32 also under autocast."""
        return F.linear(self.projection(x), self.weight, self.bias).float()
