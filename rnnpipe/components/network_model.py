"""The thinc model around a network, shared by all architectures of this package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from spacy.tokens import Doc
from thinc.api import Model
from torch import nn

from rnnpipe.components.training_pass import TrainingPass
from rnnpipe.contracts.types import Precision
from rnnpipe.shim.torch_shim import TorchShim

#: More symbols than any cutoff: on the device "meta", where tensors take no memory, a network of
#: that many shows whether its settings fit before the corpus is read.
MANY_SYMBOLS = 2**40


class Builder(Protocol):
    def build(self, facts: dict[str, Any]) -> nn.Module: ...


def network_model(
    name: str,
    builder: Builder,
    predict: Callable[[Model[Any, Any], Sequence[Any]], Any],
    precision: Precision,
    *,
    init: Callable[..., Any] | None = None,
    layers: Sequence[Model[Any, Any]] = (),
) -> Model[Any, Any]:
    """Wrap the network that ``builder`` makes once its facts are known. In training the model takes
    documents and returns a :class:`TrainingPass`.

    predict: function of the network's inputs for prediction; defined at module level, so that it
        can be pickled.
    layers: upstream models, which read the documents.
    """
    return Model(
        name,
        _forward,
        init=init,
        layers=layers,
        shims=[TorchShim(None, build=builder.build, facts=None, precision=precision)],
        attrs={"dropout_rate": 0.0, "builder": builder, "predict": predict},
    )


def _forward(
    model: Model[Any, Any], items: Sequence[Any], is_train: bool
) -> tuple[Any, Callable[[Any], list[Any]]]:
    if is_train:
        run = TrainingPass(model, cast("Sequence[Doc]", items))
        return run, run.backprop
    return model.attrs["predict"](model, items), lambda _: []


def network_shim(model: Model[Any, Any]) -> TorchShim:
    return cast(TorchShim, model.shims[0])


def is_initialized(model: Model[Any, Any]) -> bool:
    return network_shim(model).facts is not None
