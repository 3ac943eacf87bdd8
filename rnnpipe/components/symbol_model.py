"""What the models of texts, by symbols, and of images, by pixels, have in common: a torch module
that adds up gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from typing import Any, Protocol, cast

from thinc.api import Model
from torch import Tensor, nn

from rnnpipe.contracts.types import Precision
from rnnpipe.shim.torch_shim import TorchShim

#: More symbols than any cutoff: on the device "meta", where tensors take no memory, a network of
#: that many shows whether its settings fit before the corpus is read.
MANY_SYMBOLS = 2**40


class SymbolNetwork(Protocol):
    """The part of such a module that training needs. An item's length is the number of symbols
    that are predicted in it."""

    def accumulate_gradients(self, items: Sequence[Any], scale: float) -> Tensor:
        """Add ``scale`` times the gradient of the summed loss to the parameters' gradients.
        Returns the summed cross-entropy in nats, shape ``()``."""
        ...


class SymbolNetworkBuilder(Protocol):
    def build(self, facts: dict[str, Any]) -> nn.Module: ...


def symbol_model(
    name: str,
    builder: SymbolNetworkBuilder,
    predict: Callable[[Model[Any, Any], Sequence[Any]], Any],
    precision: Precision,
) -> Model[Any, Any]:
    """A thinc model of what ``builder`` builds once the symbols, or the images, are known. predict:
    a result for each item; a function of a module, so that it can be pickled."""
    return Model(
        name,
        _forward,
        shims=[TorchShim(None, build=builder.build, facts=None, precision=precision)],
        attrs={"dropout_rate": 0.0, "builder": builder, "predict": predict},
    )


def _forward(
    model: Model[Any, Any], items: Sequence[Any], is_train: bool
) -> tuple[Any, Callable[[Any], list[Any]]]:
    return Run(model, items) if is_train else model.attrs["predict"](model, items), lambda _: []


def symbol_shim(model: Model[Any, Any]) -> TorchShim:
    return cast(TorchShim, model.shims[0])


class Run:
    """A training pass over items, which runs when its gradient is asked for."""

    def __init__(self, model: Model[Any, Any], items: Sequence[Sized]) -> None:
        self._model = model
        self._items = items

    def backward(self) -> float:
        """Add the gradient of the mean loss to the parameters' gradients. Returns the summed
        cross-entropy, in nats."""
        scale = 1.0 / max(1, sum(map(len, self._items)))
        with symbol_shim(self._model).training(self._model.attrs["dropout_rate"]) as module:
            return float(cast(SymbolNetwork, module).accumulate_gradients(self._items, scale))
