"""``rnnpipe.Softmax.v1``: one label per node or document, each predicted independently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.contracts.registry import decoders
from rnnpipe.contracts.types import (
    Gold,
    Labels,
    PositiveFloat,
    Prediction,
    Probability,
)
from rnnpipe.errors import SettingsError, expected, nearest
from rnnpipe.layers.precision import in_full_precision
from rnnpipe.parts.decoders.chain.potentials import Chain
from rnnpipe.parts.decoders.sequence import ChainDecoder
from rnnpipe.structures import Encoded


@decoders("rnnpipe.Softmax.v1")
@dataclass(frozen=True)
class Softmax:
    """Cross entropy, ``-log softmax(W x + b)[gold]``.

    label_smoothing: share of the gold probability that is spread over all labels (Szegedy et al.
        2016).
    class_weights: factors of the loss where the label is gold; 1 for labels not named.
    constrained: whether to predict the best legal sequence of the labels' tag scheme under the
        product of the nodes' probabilities. Without a scheme the setting has no effect.
    """

    label_smoothing: Probability = 0.0
    class_weights: dict[str, PositiveFloat] | None = None
    constrained: bool = True

    def __call__(self, n_in: int, labels: Labels) -> SoftmaxDecoder:
        return SoftmaxDecoder(n_in, labels, self)


class SoftmaxDecoder(ChainDecoder):
    """A decoder that trains each label independently. If constrained, it predicts from the product
    of their distributions, restricted to the legal sequences."""

    labels_documents = True
    label_axes: Mapping[str, tuple[int, ...]]
    class_weight: Tensor

    def __init__(self, n_in: int, labels: Labels, settings: Softmax) -> None:
        super().__init__(labels, settings.constrained)
        self.label_smoothing = settings.label_smoothing
        self.output = nn.Linear(n_in, len(labels))
        self.label_axes = {"output.weight": (0,), "output.bias": (0,)}
        weight = weights_of(labels, settings.class_weights or {}, "class_weights")
        self.register_buffer("class_weight", weight, persistent=False)

    def chain(self, x: Encoded) -> Chain:
        emissions = in_full_precision(self.output(x.states))
        free = torch.zeros_like(self.transitions_allowed, dtype=emissions.dtype)
        return Chain(
            emissions,
            self.forbid(free, self.transitions_allowed),
            self.forbid(free[0], self.start_allowed),
            self.forbid(free[0], self.end_allowed),
            x.structure,
        )

    def loss(self, x: Encoded | Tensor, gold: Gold) -> Tensor:
        """Return the summed cross entropy in nats. Where the gold labels are partial, the
        probability of any of them counts; where they are float truths, the expectation under them.
        """
        logits = in_full_precision(self.output(x.states if isinstance(x, Encoded) else x))
        weight = self.class_weight.to(logits.dtype)
        if gold.dtype == torch.int64:
            if isinstance(x, Encoded):
                gold = gold.masked_fill(~x.mask, -1)
            return F.cross_entropy(
                logits.flatten(0, -2),
                gold.flatten(),
                weight,
                ignore_index=-1,
                reduction="sum",
                label_smoothing=self.label_smoothing,
            )
        log_probabilities = logits.log_softmax(-1)
        each = -log_probabilities * weight  # (..., L)
        if gold.dtype == torch.bool:
            counted = ~gold.all(-1) & gold.any(-1)
            hit = log_probabilities.masked_fill(~gold, -torch.inf).masked_fill(
                ~counted.unsqueeze(-1), 0.0
            )
            share = gold.to(logits.dtype)
            fit = -hit.logsumexp(-1) * (share @ weight) / share.sum(-1).clamp(min=1.0)
        else:
            counted = ~gold.isnan().any(-1)
            fit = (each * gold.nan_to_num(0.0).to(logits.dtype)).sum(-1)
        if isinstance(x, Encoded):
            counted = counted & x.mask
        losses = (1 - self.label_smoothing) * fit + self.label_smoothing * each.mean(-1)
        return torch.where(counted, losses, 0.0).sum()

    def predict(self, x: Encoded | Tensor) -> Prediction:
        """Return the best labels; with probabilities unless they are bound by a scheme (see
        ``marginals``)."""
        with torch.no_grad():
            if isinstance(x, Encoded) and self.constrained:
                return Prediction(self.best(x))
            logits = in_full_precision(self.output(x.states if isinstance(x, Encoded) else x))
            ids, probabilities = logits.argmax(-1), logits.softmax(-1)
            if isinstance(x, Encoded):
                ids = x.structure.blank(ids, 0)
                probabilities = x.structure.blank(probabilities)
            return Prediction(ids, probabilities)


def weights_of(labels: Labels, weights: Mapping[str, float], setting: str) -> Tensor:
    """Return the weight of each label, ``(L,)``, 1 by default.

    Raises:
        SettingsError: a weight names an unknown label.
    """
    for name in weights:
        if name not in labels.names:
            raise SettingsError(
                expected(setting, "labels of the data", name, nearest(name, labels.names))
            )
    return torch.tensor([float(weights.get(name, 1.0)) for name in labels.names])
