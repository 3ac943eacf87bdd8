"""``acme.Focal.v1``: one label per document, with more weight for hard examples."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.api import DecoderBuilder, Encoded, Gold, Labels, Prediction, decoders

Focus = Annotated[float, Field(ge=1)]


@decoders("acme.Focal.v1")
def Focal(focus: Focus = 2.0) -> DecoderBuilder:
    """The focal loss ``-(1 - p)^focus log p``, p the probability of the gold label (Lin et al.
    2017, Focal Loss for Dense Object Detection). Well-classified examples have a low weight.

    focus: the exponent; larger values lower that weight.
    """
    return partial(FocalDecoder, focus=focus)


class FocalDecoder(nn.Module):
    """Labels of pooled documents ``(B, n_in)``."""

    labels_nodes = False
    labels_documents = True
    exclusive = True
    label_axes: Mapping[str, tuple[int, ...]] = {"output.weight": (0,), "output.bias": (0,)}

    def __init__(self, n_in: int, labels: Labels, focus: float) -> None:
        super().__init__()
        self.focus = focus
        self.output = nn.Linear(n_in, len(labels))

    def _log_probabilities(self, x: Encoded | Tensor) -> Tensor:
        """``(B, L)`` in nats, float32 also under autocast."""
        logits: Tensor = self.output(cast(Tensor, x))
        return logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(-1)

    def loss(self, x: Encoded | Tensor, gold: Gold) -> Tensor:
        """The summed loss. gold: ``(B,)`` int64, -1 where missing."""
        log_p = self._log_probabilities(x)
        weighed = (-log_p.expm1()) ** self.focus * log_p
        return F.nll_loss(weighed, gold, ignore_index=-1, reduction="sum")

    def predict(self, x: Encoded | Tensor) -> Prediction:
        """The most probable label of each document, and the probability of each label."""
        with torch.no_grad():
            probabilities = self._log_probabilities(x).exp()
        return Prediction(probabilities.argmax(-1), probabilities)
