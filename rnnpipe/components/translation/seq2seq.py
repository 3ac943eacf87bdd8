"""``rnnpipe.Seq2Seq.v1``: the model of the component ``rnn_seq2seq``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from thinc.api import Model

from rnnpipe.components.network_model import MANY_SYMBOLS, network_model, network_shim
from rnnpipe.contracts.settings import checked
from rnnpipe.contracts.types import (
    AttentionBuilder,
    DropoutRate,
    EncoderBuilder,
    OutputBuilder,
    PositiveInt,
    Precision,
    Probability,
    SymbolsBuilder,
)
from rnnpipe.errors import SettingsError, StructureError
from rnnpipe.models.translation.images import ImageReader, ImageSource
from rnnpipe.models.translation.model import Alignment, Pair, Seq2SeqBuilder
from rnnpipe.models.translation.model import Seq2Seq as TorchSeq2Seq


@checked("architectures", "rnnpipe.Seq2Seq.v1")
def Seq2Seq(
    source: SymbolsBuilder,
    encoder: EncoderBuilder,
    decoder: EncoderBuilder,
    output: OutputBuilder,
    target: SymbolsBuilder | None = None,
    attention: AttentionBuilder | None = None,
    width: PositiveInt = 128,
    input_feeding: bool = False,
    reverse_source: bool = False,
    dropout: DropoutRate = None,
    label_smoothing: Probability = 0.0,
    precision: Precision = "float32",
    max_padded_symbols: PositiveInt = 8192,
) -> Model[Any, Any]:
    """A sequence-to-sequence model: encoder, attention, decoder and output over symbols, trained as
    one torch module (Sutskever et al. 2014; Bahdanau et al. 2015; Luong et al. 2015).

    source: symbols of the documents: characters, bytes or words.
    target: symbols of the texts to write; if unset, source and target share the vocabulary and the
        embedding.
    encoder: any encoder of sequences, unidirectional or bidirectional.
    decoder: causal encoder that reads the target. It starts with the final state of the encoder, or
        with a learned projection of it if the shapes differ.
    attention: attention of the decoder's states over the encoder's; ``None``: the decoder sees the
        final state only.
    width: size of the embeddings and, with attention, of the states that the output reads.
    input_feeding: the decoder also reads its last attentional state (Luong et al. 2015). Training
        is then step by step and slower, and the decoder's dropout masks that are otherwise shared
        by all steps (``locked``, ``recurrent_dropout``, ``weight_dropout``) are drawn per step.
    reverse_source: the encoder reads the source in reverse (Sutskever et al. 2014).
    dropout: dropout rate of the inputs of encoder and decoder, of the states that attention reads
        and of those that the output reads; if unset, the rate of ``[training] dropout``.
    label_smoothing: share of the true symbol's probability that is spread over all symbols (Szegedy
        et al. 2016).
    precision: ``"bfloat16"`` computes matrix products in bfloat16 and keeps float32 weights.
    max_padded_symbols: maximum number of source or target positions computed at once in training;
        bounds the memory.

    Raises:
        SettingsError: the decoder is not causal, or settings have no effect or do not fit.
    """
    builder = Seq2SeqBuilder(
        source=source,
        target=target,
        encoder=encoder,
        decoder=decoder,
        attention=attention,
        output=output,
        width=width,
        input_feeding=input_feeding,
        reverse_source=reverse_source,
        dropout=dropout,
        label_smoothing=label_smoothing,
        max_padded_symbols=max_padded_symbols,
    )
    return seq2seq_model(builder, precision)


def seq2seq_model(builder: Seq2SeqBuilder, precision: Precision) -> Model[Any, Any]:
    """Build the model; raise SettingsError for settings that do not fit, before the corpus is
    read."""
    source: int | ImageReader = MANY_SYMBOLS
    with torch.device("meta"):
        try:
            if isinstance(builder.source, ImageSource):
                source = builder.source.build({})
            TorchSeq2Seq(builder, source, None if builder.target is None else MANY_SYMBOLS)
        except StructureError as error:
            raise SettingsError(str(error)) from None
    return network_model("rnnpipe_seq2seq", builder, _align, precision)


def seq2seq_builder(model: Model[Any, Any]) -> Seq2SeqBuilder:
    return cast(Seq2SeqBuilder, model.attrs["builder"])


def _align(model: Model[Any, Any], pairs: Sequence[Pair]) -> list[Alignment]:
    with network_shim(model).evaluation() as module:
        return cast(TorchSeq2Seq, module).align(pairs)
