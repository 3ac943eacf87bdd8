"""Any torch module as a thinc layer, with what :class:`rnnpipe.shim.torch_shim.TorchShim` adds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from thinc.api import Model
from thinc.layers.pytorchwrapper import (
    convert_pytorch_default_inputs,
    convert_pytorch_default_outputs,
)
from torch import nn

from rnnpipe.contracts.types import Precision
from rnnpipe.shim.torch_shim import TorchShim


def TorchWrapper(
    module: nn.Module,
    convert_inputs: Callable[..., Any] = convert_pytorch_default_inputs,
    convert_outputs: Callable[..., Any] = convert_pytorch_default_outputs,
    precision: Precision = "float32",
) -> Model[Any, Any]:
    """Wrap any torch module as a thinc layer: thinc's ``PyTorchWrapper`` with a :class:`TorchShim`.

    The converters are thinc's. The layer passes on its attribute ``dropout_rate``, in which spaCy
    stores ``[training] dropout``.
    """
    return Model(
        "torch",
        _forward,
        attrs={
            "convert_inputs": convert_inputs,
            "convert_outputs": convert_outputs,
            "dropout_rate": 0.0,
        },
        dims={"nI": None, "nO": None},
        shims=[TorchShim(module, precision=precision)],
    )


def _forward(model: Model[Any, Any], X: Any, is_train: bool) -> tuple[Any, Callable[[Any], Any]]:
    shim = cast(TorchShim, model.shims[0])
    inputs, inputs_back = model.attrs["convert_inputs"](model, X, is_train)
    outputs, torch_back = shim(inputs, is_train, model.attrs["dropout_rate"])
    Y, outputs_back = model.attrs["convert_outputs"](model, (X, outputs), is_train)

    def backprop(dY: Any) -> Any:
        return inputs_back(torch_back(outputs_back(dY)))

    return Y, backprop
