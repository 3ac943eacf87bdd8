"""Dropout whose rate can follow the training loop's, with one mask a step or one for all steps."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Inverted dropout (Srivastava et al. 2014): ``y = x * m / (1 - rate)``, where m is 1 with
    probability ``1 - rate``, else 0.

    rate: the share dropped. ``None``: whatever the training loop says, through
        :func:`set_dropout_rate`; a rate set here wins over the loop's.
    locked: one mask for all steps of a document (variational dropout, Gal and Ghahramani 2016);
        ``x`` is then ``(B, T, D)`` and the mask ``(B, 1, D)``.

    Identity in evaluation mode.
    """

    def __init__(self, rate: float | None = None, locked: bool = False) -> None:
        super().__init__()
        self.rate = rate
        self.locked = locked
        self.loop_rate = 0.0

    @property
    def effective_rate(self) -> float:
        return self.loop_rate if self.rate is None else self.rate

    def forward(self, x: Tensor) -> Tensor:
        rate = self.effective_rate
        if not self.training or rate == 0.0:
            return x
        shape = (x.shape[0], 1, x.shape[2]) if self.locked else x.shape
        return x * _mask(shape, rate, x)

    def mask(self, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """Return a mask of the given shape: 0 or ``1 / (1 - rate)``; ones in evaluation mode."""
        rate = self.effective_rate
        if not self.training or rate == 0.0:
            return torch.ones(shape, dtype=like.dtype, device=like.device)
        return _mask(shape, rate, like)

    def extra_repr(self) -> str:
        rate = "the training loop's" if self.rate is None else self.rate
        return f"rate={rate}, locked={self.locked}"


def _mask(shape: tuple[int, ...], rate: float, like: Tensor) -> Tensor:
    if like.device.type != "cpu":
        return nn.functional.dropout(torch.ones(shape, dtype=like.dtype, device=like.device), rate)
    # Sixteen random bits a number: a tenth of the time of torch's Bernoulli draws on a CPU.
    words = torch.empty(-(-math.prod(shape) // 4), dtype=torch.int64).random_(-(2**63), None)
    bits = words.view(torch.int16)[: math.prod(shape)].view(shape)
    kept = bits >= round(rate * 2**16) - 2**15
    return kept.to(like.dtype).mul_(1.0 / (1.0 - rate))


def set_dropout_rate(module: nn.Module, rate: float) -> None:
    """Hand the training loop's dropout rate to every :class:`Dropout` in ``module``."""
    for child in module.modules():
        if isinstance(child, Dropout):
            child.loop_rate = rate
