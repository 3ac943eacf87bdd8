"""``rnnpipe.Sigmoid.v1``: any number of labels per document."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.contracts.registry import decoders
from rnnpipe.contracts.types import DecoderBuilder, Gold, Labels, PositiveFloat, Prediction
from rnnpipe.errors import StructureError, expected
from rnnpipe.layers.precision import in_full_precision
from rnnpipe.parts.decoders.softmax import weights_of
from rnnpipe.structures import Encoded


@decoders("rnnpipe.Sigmoid.v1")
def Sigmoid(positive_weights: dict[str, PositiveFloat] | None = None) -> DecoderBuilder:
    """A logistic regression per label, ``p = sigmoid(W x + b)``, trained with binary cross entropy.

    positive_weights: factors of the loss where the label is true, for rare labels; 1 for labels not
        named.
    """
    return partial(SigmoidDecoder, positive_weights=positive_weights or {})


class SigmoidDecoder(nn.Module):
    """Independent labels of pooled documents ``(B, n_in)``."""

    labels_nodes = False
    labels_documents = True
    exclusive = False
    label_axes: Mapping[str, tuple[int, ...]]
    positive_weight: Tensor

    def __init__(
        self, n_in: int, labels: Labels, positive_weights: Mapping[str, float] | None = None
    ) -> None:
        super().__init__()
        self.labels = labels
        self.output = nn.Linear(n_in, len(labels))
        self.label_axes = {"output.weight": (0,), "output.bias": (0,)}
        weight = weights_of(labels, positive_weights or {}, "positive_weights")
        self.register_buffer("positive_weight", weight, persistent=False)

    def loss(self, x: Encoded | Tensor, gold: Gold) -> Tensor:
        """Return the summed binary cross entropy in nats. ``gold``: ``(B, L)`` float truths, NaN
        where missing."""
        logits = self._logits(x)
        known = ~gold.isnan()
        losses = F.binary_cross_entropy_with_logits(
            logits,
            gold.nan_to_num(0.0).to(logits.dtype),
            pos_weight=self.positive_weight.to(logits.dtype),
            reduction="none",
        )
        return torch.where(known, losses, 0.0).sum()

    def predict(self, x: Encoded | Tensor) -> Prediction:
        """Return the probability of each label, ``(B, L)``, and the most probable label."""
        with torch.no_grad():
            probabilities = self._logits(x).sigmoid()
        return Prediction(probabilities.argmax(-1), probabilities)

    def _logits(self, x: Encoded | Tensor) -> Tensor:
        if isinstance(x, Encoded):
            raise StructureError(
                expected(
                    "rnnpipe.Sigmoid.v1",
                    "pooled documents",
                    "the states of an encoder",
                    "Add a pooler to the network.",
                )
            )
        return in_full_precision(self.output(x))
