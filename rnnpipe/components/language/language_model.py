"""``rnnpipe.LanguageModel.v1``: the model of the component ``rnn_lm``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from thinc.api import Model

from rnnpipe.components.network_model import MANY_SYMBOLS, network_model, network_shim
from rnnpipe.contracts.settings import checked
from rnnpipe.contracts.types import (
    Adaptation,
    DropoutRate,
    EncoderBuilder,
    NonNegativeFloat,
    OutputBuilder,
    PositiveInt,
    Precision,
    Probability,
    SymbolsBuilder,
    Text,
)
from rnnpipe.errors import SettingsError, StructureError, expected
from rnnpipe.models.language.language_model import LanguageModel as TorchLanguageModel
from rnnpipe.models.language.language_model import LanguageModelBuilder, require_causal


@checked("architectures", "rnnpipe.LanguageModel.v1")
def LanguageModel(
    symbols: SymbolsBuilder,
    encoder: EncoderBuilder,
    output: OutputBuilder,
    width: PositiveInt = 64,
    dropout: DropoutRate = None,
    locked: bool = False,
    embedding_dropout: Probability = 0.0,
    activation_regularisation: NonNegativeFloat = 0.0,
    temporal_regularisation: NonNegativeFloat = 0.0,
    word_dropout: Probability = 0.0,
    scheduled_sampling: Probability = 0.0,
    sampling_ramp: PositiveInt = 1,
    adaptation: Adaptation | None = None,
    precision: Precision = "float32",
    max_length: PositiveInt = 512,
    max_padded_symbols: PositiveInt = 8192,
) -> Model[Any, Any]:
    """A language model: embedding, causal encoder and output over symbols, trained as one torch
    module.

    symbols: characters, bytes or words.
    width: size of the embedding.
    dropout: dropout rate of the encoder's inputs and outputs; if unset, the rate of ``[training]
        dropout``.
    locked: use one dropout mask for all steps of a text (Gal and Ghahramani 2016).
    embedding_dropout: share of symbols whose embedding is zero in a step (ibid.).
    activation_regularisation, temporal_regularisation: weights of the squared encoder states, and
        of their squared change from symbol to symbol, in the loss; each is a mean over the width
        (AR, alpha, and TAR, beta: Merity et al. 2017). The reported loss is the cross-entropy
        alone.
    word_dropout: share of input symbols replaced by the unknown symbol in training (Bowman et al.
        2016).
    scheduled_sampling: share of input symbols replaced by samples of the model in training (Bengio
        et al. 2015; in two parallel passes, see
        :class:`rnnpipe.models.language.exposure.ScheduledSampling`).
    sampling_ramp: number of training steps over which that share grows from 0.
    adaptation: adaptation to a document during scoring: a neural cache or dynamic evaluation. It
        affects neither training nor generation.
    precision: ``"bfloat16"`` computes matrix products in bfloat16 and keeps float32 weights.
    max_length: maximum number of symbols computed at once. Longer texts pass on their state; in
        training, no gradient reaches further back.
    max_padded_symbols: maximum number of positions computed at once; bounds the memory.

    Raises:
        SettingsError: the encoder is not causal, the output's sizes do not fit, or a setting has no
            effect.
    """
    if sampling_ramp > 1 and not scheduled_sampling:
        want = "1 without scheduled_sampling, where it has no effect"
        raise SettingsError(expected("sampling_ramp", want, sampling_ramp, "Remove it."))
    builder = LanguageModelBuilder(
        symbols=symbols,
        encoder=encoder,
        output=output,
        width=width,
        dropout=dropout,
        locked=locked,
        embedding_dropout=embedding_dropout,
        activation_regularisation=activation_regularisation,
        temporal_regularisation=temporal_regularisation,
        word_dropout=word_dropout,
        scheduled_sampling=scheduled_sampling,
        sampling_ramp=sampling_ramp,
        adaptation=adaptation,
        max_length=max_length,
        max_padded_symbols=max_padded_symbols,
    )
    _check(builder)
    return network_model("rnnpipe_language_model", builder, _log_likelihoods, precision)


def _check(builder: LanguageModelBuilder) -> None:
    """Raise SettingsError now, before the corpus is read."""
    with torch.device("meta"):
        encoder = builder.encoder(builder.width)
        try:
            require_causal(encoder)
        except StructureError as error:
            raise SettingsError(str(error)) from None
        builder.output(encoder.n_out, torch.nn.Parameter(torch.empty(MANY_SYMBOLS, builder.width)))


def language_model_builder(model: Model[Any, Any]) -> LanguageModelBuilder:
    return cast(LanguageModelBuilder, model.attrs["builder"])


def _log_likelihoods(model: Model[Any, Any], texts: Sequence[Text]) -> list[np.ndarray]:
    return log_likelihoods(model, texts, language_model_builder(model).adaptation)


def log_likelihoods(
    model: Model[Any, Any], texts: Sequence[Text], adaptation: Adaptation | None
) -> list[np.ndarray]:
    """Return the log-probability of every target of every text in nats, ``(N,)`` float32."""
    with network_shim(model).evaluation() as module:
        network = cast(TorchLanguageModel, module)
        if adaptation is None:
            return network.log_likelihoods(texts)
        return [adaptation.log_likelihoods(network, text) for text in texts]


def with_drawn_targets(model: Model[Any, Any], texts: Sequence[Text]) -> list[Text]:
    """Return the texts with a symbol sampled from the model after each symbol."""
    with network_shim(model).evaluation() as module:
        return cast(TorchLanguageModel, module).with_drawn_targets(texts)
