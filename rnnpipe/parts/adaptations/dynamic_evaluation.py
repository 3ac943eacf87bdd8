"""``rnnpipe.DynamicEvaluation.v1``: learn from a part of a document, then score the next."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from rnnpipe.contracts.compat import private
from rnnpipe.contracts.registry import adaptations
from rnnpipe.contracts.types import (
    PositiveFloat,
    PositiveInt,
    Probability,
    ScoringModel,
    Stepper,
    Text,
)
from rnnpipe.layers.precision import full_precision
from rnnpipe.structures import map_state

_foreach_add_ = private("torch._foreach_add_")
_foreach_lerp_ = private("torch._foreach_lerp_")
_foreach_mul_ = private("torch._foreach_mul_")
_foreach_norm = private("torch._foreach_norm")


@adaptations("rnnpipe.DynamicEvaluation.v1")
@dataclass(frozen=True)
class DynamicEvaluation:
    """A step of gradient descent after every segment of a document, with a small step back towards
    the trained weights (Krause et al. 2018, Dynamic Evaluation of Neural Sequence Models, without
    its scaling by statistics of the training data)::

        w <- w - learn_rate * g + decay * (w_0 - w)

    where g is the gradient of the segment's mean cross-entropy in nats, with a norm of at most
    ``clip``. Each document starts from a copy of the model's own weights, w_0.

    segment: number of symbols, at most the model's ``max_length``.
    """

    learn_rate: PositiveFloat = 0.1
    decay: Probability = 0.001
    segment: PositiveInt = 50
    clip: PositiveFloat = 1.0

    def log_likelihoods(self, model: ScoringModel, text: Text) -> np.ndarray:
        learner = copy.deepcopy(model)
        weights: list[Tensor] = list(learner.parameters())
        origin = [weight.detach() for weight in model.parameters()]
        state = cast(Stepper, learner.encoder).start(1)
        parts = [np.zeros(0, dtype=np.float32)]
        for part in text.parts(min(self.segment, model.max_length)):
            with torch.enable_grad():
                scores, encoded = learner.score(part, state)
                with full_precision(scores.device):
                    gradients = torch.autograd.grad(-scores.mean(), weights, allow_unused=True)
            self._step(weights, gradients, origin)
            state = map_state(Tensor.detach, encoded.state)
            parts.append(scores.detach().cpu().numpy())
        return np.concatenate(parts)

    def _step(
        self, weights: list[Tensor], gradients: tuple[Tensor | None, ...], origin: list[Tensor]
    ) -> None:
        used = [i for i, gradient in enumerate(gradients) if gradient is not None]
        moved = [weights[i] for i in used]
        slopes = [cast(Tensor, gradients[i]) for i in used]
        with torch.no_grad():
            norm = torch.linalg.vector_norm(torch.stack(_foreach_norm(slopes)))
            _foreach_lerp_(moved, [origin[i] for i in used], self.decay)
            _foreach_mul_(slopes, (self.clip / norm).clamp(max=1.0))
            _foreach_add_(moved, slopes, alpha=-self.learn_rate)
