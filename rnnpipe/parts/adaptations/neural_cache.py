"""``rnnpipe.NeuralCache.v1``: what a document has said before is likely to be said again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from rnnpipe.contracts.registry import adaptations
from rnnpipe.contracts.types import (
    Encoder,
    PositiveFloat,
    PositiveInt,
    ScoringModel,
    Stepper,
    Text,
)

#: Of either distribution there must be some.
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


@adaptations("rnnpipe.NeuralCache.v1")
@dataclass(frozen=True)
class NeuralCache:
    """A mixture of the model's distribution and one over the symbols that followed similar states
    of the same document (Grave et al. 2017, Improving Neural Language Models with a Continuous
    Cache)::

        p(w) = (1 - share) p_model(w) + share p_cache(w)
        p_cache(w) ~ sum over the last ``size`` positions i that w followed of
                     exp(sharpness * h_t . h_i)

    At the first symbol of a document, p is the model's distribution.

    size: number of positions remembered. share: lambda in the paper. sharpness: theta.
    """

    size: PositiveInt = 500
    share: Share = 0.1
    sharpness: PositiveFloat = 0.3

    def log_likelihoods(self, model: ScoringModel, text: Text) -> np.ndarray:
        state = cast(Stepper, model.encoder).start(1)
        parts = [np.zeros(0, dtype=np.float32)]
        width = cast(Encoder, model.encoder).n_out
        past = torch.zeros(0, width, device=model.embedding.weight.device)
        symbols = torch.zeros(0, dtype=torch.int64)  # that followed on the past states
        for part in text.parts(model.max_length):
            scores, encoded = model.score(part, state)
            state = encoded.state
            alone = int(len(past) == 0)  # the first symbol of all has nothing before it
            past = torch.cat([past, encoded.states[0].float()])
            symbols = torch.cat([symbols, torch.from_numpy(part.targets)])
            cached = self._cached(past, symbols.to(past.device), len(part))
            mixed = torch.logaddexp(
                scores[alone:] + math.log1p(-self.share), cached[alone:] + math.log(self.share)
            )
            parts.append(torch.cat([scores[:alone], mixed]).cpu().numpy())
            past, symbols = past[-self.size :], symbols[-self.size :]
        return np.concatenate(parts)

    def _cached(self, states: Tensor, symbols: Tensor, n: int) -> Tensor:
        """Return ``log p_cache`` of the last n symbols, ``(n,)``; NaN where no position comes
        before.

        states: ``(m + n, H)``. symbols: ``(m + n,)``, the symbol after each state.
        """
        similar = self.sharpness * states[-n:] @ states.t()  # (n, m + n)
        now = torch.arange(len(states), device=states.device)
        before = now[-n:, None] - now  # how long ago
        remembered = similar.masked_fill((before < 1) | (before > self.size), -torch.inf)
        hits = remembered.masked_fill(symbols[-n:, None] != symbols, -torch.inf)
        return hits.logsumexp(-1) - remembered.logsumexp(-1)
