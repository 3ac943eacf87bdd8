"""What a language model reads in training in place of the true text.

It learns from true texts and then continues its own, whose mistakes it has never seen (exposure
bias). So some of the symbols that it reads are made unknown, or are its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnpipe.contracts.types import BOUNDARY, UNKNOWN


def drop_symbols(symbols: Tensor, rate: float) -> Tensor:
    """Symbols ``(B, T)``, each but the boundary unknown with probability ``rate`` (word dropout:
    Bowman et al. 2016, Generating Sentences from a Continuous Space)."""
    dropped = _chance(symbols, rate) & (symbols != BOUNDARY)
    return symbols.masked_fill(dropped, UNKNOWN)


class ScheduledSampling(nn.Module):
    """Symbols that the model itself would have written, with growing probability (Bengio et al.
    2015, Scheduled Sampling for Sequence Prediction)::

        p = share * min(1, updates / ramp)

    What it would have written is drawn after the *true* symbols before, in a pass of its own, for
    all positions at once (Mihaylova and Martins 2019; Duckworth et al. 2019, Parallel Scheduled
    Sampling). Drawing symbol after symbol would take as many steps as the text has symbols, and
    leave the fast ways through a recurrent network unused; this takes a forward pass more.

    share: the probability in the end. ramp: from which update on; they are counted, from 1, in a
    buffer that is saved with the weights.
    """

    updates: Tensor

    def __init__(self, share: float, ramp: int) -> None:
        super().__init__()
        self.share = share
        self.ramp = ramp
        self.register_buffer("updates", torch.zeros(()))

    def mix(self, symbols: Tensor, drawn: Tensor) -> Tensor:
        """symbols: ``(B, T)``. drawn: ``(B, T)``, what the model wrote after each of them."""
        rate = self.share * (self.updates / self.ramp).clamp(max=1.0)
        instead = _chance(symbols[:, 1:], rate)
        mixed = torch.where(instead, drawn[:, :-1], symbols[:, 1:])
        return torch.cat([symbols[:, :1], mixed], dim=1)


def draw(log_probabilities: Tensor) -> Tensor:
    """A symbol from each distribution: ``(..., V) -> (...)``. ``argmax p / e`` with e from an
    exponential distribution, which never waits for the device."""
    noise = torch.empty_like(log_probabilities).exponential_()
    return (log_probabilities - noise.log()).argmax(-1)


def _chance(like: Tensor, rate: float | Tensor) -> Tensor:
    return torch.rand(like.shape, device=like.device) < rate
