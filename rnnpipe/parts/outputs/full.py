"""``rnnpipe.FullSoftmax.v1`` and ``rnnpipe.TiedSoftmax.v1``: every symbol at every step."""

from __future__ import annotations

from functools import partial
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.contracts.registry import outputs
from rnnpipe.contracts.types import OutputBuilder
from rnnpipe.errors import SettingsError, expected


@outputs("rnnpipe.FullSoftmax.v1")
def FullSoftmax() -> OutputBuilder:
    """``log softmax(W x + b)``."""
    return cast(OutputBuilder, partial(SoftmaxOutput, tied=False))


@outputs("rnnpipe.TiedSoftmax.v1")
def TiedSoftmax() -> OutputBuilder:
    """``log softmax(E x + b)``, E being the embedding of the symbols (Inan et al. 2017, Tying Word
    Vectors and Word Classifiers; Press and Wolf 2017). Raises SettingsError unless the embedding
    is as wide as the encoder's states."""
    return cast(OutputBuilder, partial(SoftmaxOutput, tied=True))


class SoftmaxOutput(nn.Module):
    """n_in: width of the states. embedding: ``(V, D)``; if ``tied``, it is W, and D is n_in."""

    def __init__(self, n_in: int, embedding: Tensor, tied: bool) -> None:
        super().__init__()
        n_symbols, width = embedding.shape
        if tied and width != n_in:
            do = "Set both to the same number, or use rnnpipe.FullSoftmax.v1."
            want = f"an embedding as wide as the states of the encoder ({n_in}), to share weights"
            raise SettingsError(expected("width", want, width, do))
        if tied:
            self.weight = embedding
        else:
            bound = n_in**-0.5
            self.weight = nn.Parameter(torch.empty(n_symbols, n_in).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(n_symbols))

    def score(self, x: Tensor, targets: np.ndarray) -> Tensor:
        gold = torch.from_numpy(targets).to(x.device)
        return -F.cross_entropy(self.logits(x), gold, reduction="none")

    def log_probabilities(self, x: Tensor) -> Tensor:
        return self.logits(x).log_softmax(-1)

    def logits(self, x: Tensor) -> Tensor:
        """``(N, n_in) -> (N, V)``, float32 also under autocast."""
        return F.linear(x, self.weight, self.bias).float()
