"""Inputs of a language model in training that differ from the true text.

The model learns from true texts and then continues its own, whose errors it has never seen
(exposure bias). Hence some of its inputs are made unknown, or sampled from the model.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnpipe.contracts.types import BOUNDARY, UNKNOWN


def drop_symbols(symbols: Tensor, rate: float) -> Tensor:
    """Replace symbols ``(B, T)`` except the boundary by the unknown one with probability ``rate``
    (word dropout: Bowman et al. 2016, Generating Sentences from a Continuous Space)."""
    dropped = _chance(symbols, rate) & (symbols != BOUNDARY)
    return symbols.masked_fill(dropped, UNKNOWN)


class ScheduledSampling(nn.Module):
    """Replaces symbols by samples of the model, with growing probability (Bengio et al. 2015,
    Scheduled Sampling for Sequence Prediction)::

        p = share * min(1, updates / ramp)

    Samples are conditioned on the *true* symbols before, and drawn in one extra pass for all
    positions at once (Mihaylova and Martins 2019; Duckworth et al. 2019, Parallel Scheduled
    Sampling). Sampling symbol by symbol would take as many steps as the text has symbols, without
    the fast kernels of recurrent networks; this takes one more forward pass.

    share: final probability. ramp: update at which it is reached; updates are counted, from 1, in a
        buffer that is saved with the weights.
    """

    updates: Tensor

    def __init__(self, share: float, ramp: int) -> None:
        super().__init__()
        self.share = share
        self.ramp = ramp
        self.register_buffer("updates", torch.zeros(()))

    def mix(self, symbols: Tensor, drawn: Tensor) -> Tensor:
        """Mix true symbols ``(B, T)`` with drawn ones ``(B, T)``, the samples after each of
        them."""
        rate = self.share * (self.updates / self.ramp).clamp(max=1.0)
        instead = _chance(symbols[:, 1:], rate)
        mixed = torch.where(instead, drawn[:, :-1], symbols[:, 1:])
        return torch.cat([symbols[:, :1], mixed], dim=1)


def draw(log_probabilities: Tensor) -> Tensor:
    """Sample a symbol from each distribution, ``(..., V) -> (...)``, as ``argmax p / e`` with e
    from an exponential distribution, which never synchronizes with the device."""
    noise = torch.empty_like(log_probabilities).exponential_()
    return (log_probabilities - noise.log()).argmax(-1)


def _chance(like: Tensor, rate: float | Tensor) -> Tensor:
    return torch.rand(like.shape, device=like.device) < rate
