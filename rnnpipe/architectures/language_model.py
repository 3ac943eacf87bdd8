"""``rnnpipe.LanguageModel.v1``: the model of the component ``rnn_lm``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from thinc.api import Model

from rnnpipe.errors import SettingsError, StructureError
from rnnpipe.language_model import LanguageModel as TorchLanguageModel
from rnnpipe.language_model import LanguageModelBuilder, Text, require_causal
from rnnpipe.settings import checked
from rnnpipe.shim import TorchShim
from rnnpipe.types import (
    DropoutRate,
    EncoderBuilder,
    OutputBuilder,
    PositiveInt,
    Precision,
    Probability,
    SymbolsBuilder,
)


@checked("architectures", "rnnpipe.LanguageModel.v1")
def LanguageModel(
    symbols: SymbolsBuilder,
    encoder: EncoderBuilder,
    output: OutputBuilder,
    width: PositiveInt = 64,
    dropout: DropoutRate = None,
    locked: bool = False,
    embedding_dropout: Probability = 0.0,
    precision: Precision = "float32",
    max_length: PositiveInt = 512,
    max_padded_symbols: PositiveInt = 8192,
) -> Model[Any, Any]:
    """Embedding, causal encoder and output over symbols, trained as one torch module.

    symbols: characters, bytes or words.
    width: of the embedding.
    dropout: on the encoder's inputs and outputs; unset, the rate of ``[training] dropout``.
    locked: that dropout has one mask for all steps of a text (Gal and Ghahramani 2016).
    embedding_dropout: the share of symbols whose embedding is zero in a step (ibid.).
    precision: ``"bfloat16"`` computes matrix products in bfloat16 and keeps float32 weights.
    max_length: how many symbols are computed at once; longer texts hand their state on, and in
        training no gradient reaches further back.
    max_padded_symbols: the most positions computed at once; bounds the memory.
    RAISES: SettingsError if the encoder is not causal, or the output's sizes do not fit.
    """
    builder = LanguageModelBuilder(
        symbols=symbols,
        encoder=encoder,
        output=output,
        width=width,
        dropout=dropout,
        locked=locked,
        embedding_dropout=embedding_dropout,
        max_length=max_length,
        max_padded_symbols=max_padded_symbols,
    )
    _check(builder)
    return Model(
        "rnnpipe_language_model",
        _forward,
        shims=[TorchShim(None, build=builder.build, facts=None, precision=precision)],
        attrs={"dropout_rate": 0.0, "builder": builder},
    )


#: More symbols than any cutoff; tensors of the device "meta" take no memory.
_MANY = 2**40


def _check(builder: LanguageModelBuilder) -> None:
    """Raises SettingsError now, not after the corpus has been read."""
    with torch.device("meta"):
        encoder = builder.encoder(builder.width)
        try:
            require_causal(encoder)
        except StructureError as error:
            raise SettingsError(str(error)) from None
        builder.output(encoder.n_out, torch.nn.Parameter(torch.empty(_MANY, builder.width)))


def language_model_shim(model: Model[Any, Any]) -> TorchShim:
    return cast(TorchShim, model.shims[0])


def language_model_builder(model: Model[Any, Any]) -> LanguageModelBuilder:
    return cast(LanguageModelBuilder, model.attrs["builder"])


class Run:
    """A training pass over texts, which runs when its gradient is asked for."""

    def __init__(self, model: Model[Any, Any], texts: Sequence[Text]) -> None:
        self._model = model
        self._texts = texts

    def backward(self) -> float:
        """Add the gradient of the mean cross-entropy to the parameters' gradients. Returns the
        sum, in nats."""
        shim = language_model_shim(self._model)
        scale = 1.0 / max(1, sum(map(len, self._texts)))
        with shim.training(self._model.attrs["dropout_rate"]) as module:
            network = cast(TorchLanguageModel, module)
            return float(network.accumulate_gradients(self._texts, scale))


def _forward(
    model: Model[Any, Any], texts: Sequence[Text], is_train: bool
) -> tuple[Any, Callable[[Any], list[Any]]]:
    if is_train:
        return Run(model, texts), lambda _: []
    with language_model_shim(model).evaluation() as module:
        return cast(TorchLanguageModel, module).log_likelihoods(texts), lambda _: []
