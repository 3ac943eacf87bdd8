"""A training pass: the loss of a network on a batch and its gradients."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any, Protocol, cast

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import Model, get_current_ops
from thinc.types import Floats2d
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from rnnpipe.errors import TrainingError, expected
from rnnpipe.shim.private_gradients import Gradients, add_gradients, private_gradients
from rnnpipe.shim.torch_shim import TorchShim


class Learner(Protocol):
    """The interface of a network that training needs."""

    def accumulate_gradients(
        self, items: Sequence[Any], scale: float = 1.0, *upstream: Tensor
    ) -> Tensor:
        """Add ``scale`` times the gradient of the summed loss to the parameters' gradients, unless
        gradients are off. Return the summed loss in nats, shape ``()``.

        items: the training items. The length of an item is its number of losses: of symbols,
            pixels, tokens, constituents or documents.
        upstream: concatenated vectors of all documents per upstream layer, ``(N, width)``. Those
            that require a gradient get it.
        """
        ...


class TrainingPass:
    """The pass of a model over documents. The upstream layers run at once; the network runs when
    the loss is requested, bucket by bucket, and only once.

    Its gradients are private until :meth:`backprop` adds them to the parameters'. An earlier
    failure leaves those unchanged.

    docs: the documents.
    gradient: input of :meth:`backprop` after the loss: the gradient of each document's vectors, per
        upstream layer.
    """

    def __init__(self, model: Model[Any, Any], docs: Sequence[Doc]) -> None:
        self.docs = list(docs)
        self.gradient: list[list[Floats2d]] = []
        self._shim = cast(TorchShim, model.shims[0])
        self._dropout = model.attrs["dropout_rate"]
        # Upstream layers see all documents at once and in order: a listener insists on it.
        self._upstream = [layer.begin_update(docs) for layer in model.layers]
        self._loss: float | None = None
        self._gradients: Gradients | None = None

    def loss(self, items: Sequence[Sized]) -> float:
        """Return the summed loss in nats. Later calls return the same loss for any items; see
        :class:`Learner` for these."""
        if self._loss is None:
            scale = 1.0 / max(1, sum(map(len, items)))
            inputs = [_joined(v, self._shim.device).requires_grad_() for v, _ in self._upstream]
            with (
                torch.enable_grad(),
                self._shim.training(self._dropout) as module,
                private_gradients(module) as gradients,
            ):
                total = cast(Learner, module).accumulate_gradients(items, scale, *inputs)
            self._loss = float(total)  # the one place that waits for the device
            self._gradients = gradients
            vectors = (v for v, _ in self._upstream)
            self.gradient = [_split(x, v) for x, v in zip(inputs, vectors, strict=True)]
        return self._loss

    def backprop(self, gradient: list[list[Floats2d]]) -> list[Any]:
        """Add the gradients of the parameters to their own, and pass the upstream layers theirs.

        Raises:
            TrainingError: the loss is not known yet, or the method was called before.
        """
        if self._gradients is None:
            got = "a call before get_loss" if self._loss is None else "a second call"
            do = "Call get_loss first, and model.begin_update for each pass."
            raise TrainingError(expected("backprop", "one call after get_loss", got, do))
        add_gradients(self._gradients)
        self._gradients = None
        self._shim.updates += 1
        for (_, callback), own in zip(self._upstream, gradient, strict=True):
            callback(own)
        return []


def evaluation_loss(model: Model[Any, Any], docs: Sequence[Doc], items: Sequence[Sized]) -> float:
    """Return the summed loss in nats in evaluation mode: without dropout or gradients."""
    shim = cast(TorchShim, model.shims[0])
    inputs = upstream_vectors(model, docs)
    with shim.evaluation() as module:
        return float(cast(Learner, module).accumulate_gradients(items, 1.0, *inputs))


def upstream_vectors(model: Model[Any, Any], docs: Sequence[Doc]) -> list[Tensor]:
    """Return the outputs of the upstream layers in prediction."""
    device = cast(TorchShim, model.shims[0]).device
    return [_joined(layer.predict(docs), device) for layer in model.layers]


def _joined(vectors: Sequence[Floats2d], device: torch.device) -> Tensor:
    """Concatenate the vectors of the documents."""
    return xp2torch(get_current_ops().xp.concatenate(list(vectors)), device=device)


def _split(x: Tensor, vectors: Sequence[Floats2d]) -> list[Floats2d]:
    """Split the gradient of concatenated vectors by document."""
    gradient = cast(Floats2d, torch2xp(x.grad if x.grad is not None else torch.zeros_like(x)))
    ends = np.cumsum([len(own) for own in vectors])
    return [gradient[end - len(own) : end] for end, own in zip(ends, vectors, strict=True)]
