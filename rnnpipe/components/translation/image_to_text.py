"""``rnnpipe.ImageToText.v1``: the model of ``rnn_seq2seq`` for documents that carry an image."""

from __future__ import annotations

from typing import Any

from thinc.api import Model

from rnnpipe.components.translation.seq2seq import seq2seq_model
from rnnpipe.contracts.settings import checked
from rnnpipe.contracts.types import (
    AttentionBuilder,
    DocStructure,
    DropoutRate,
    EmbeddingBuilder,
    EncoderBuilder,
    OutputBuilder,
    PositiveInt,
    Precision,
    Probability,
    SymbolsBuilder,
)
from rnnpipe.models.translation.images import ImageSource
from rnnpipe.models.translation.model import Seq2SeqBuilder


@checked("architectures", "rnnpipe.ImageToText.v1")
def ImageToText(
    structure: DocStructure,
    embedding: EmbeddingBuilder,
    encoder: EncoderBuilder,
    decoder: EncoderBuilder,
    target: SymbolsBuilder,
    output: OutputBuilder,
    attention: AttentionBuilder | None = None,
    width: PositiveInt = 128,
    input_feeding: bool = False,
    dropout: DropoutRate = None,
    label_smoothing: Probability = 0.0,
    precision: Precision = "float32",
    max_padded_symbols: PositiveInt = 8192,
) -> Model[Any, Any]:
    """A model of a text for an image, such as its caption: the decoder of a sequence-to-sequence
    model starts with the final state of an encoder of ``doc._.image`` (Vinyals et al. 2015, Show
    and Tell), and may attend to its states (Xu et al. 2015, Show, Attend and Tell).

    structure, embedding: nodes of an image and their vectors, such as ``rnnpipe.ImageRows.v1`` and
        ``rnnpipe.PixelRows.v1``.
    encoder: any encoder of that structure.
    target: symbols of the texts to write.
    width: size of the embedding of these symbols and, with attention, of the states that the output
        reads.
    The other settings are those of ``rnnpipe.Seq2Seq.v1``.

    Raises:
        SettingsError: parts do not fit each other, the decoder is not causal, or settings have no
            effect.
    """
    builder = Seq2SeqBuilder(
        source=ImageSource(structure, embedding),
        target=target,
        encoder=encoder,
        decoder=decoder,
        attention=attention,
        output=output,
        width=width,
        input_feeding=input_feeding,
        dropout=dropout,
        label_smoothing=label_smoothing,
        max_padded_symbols=max_padded_symbols,
    )
    return seq2seq_model(builder, precision)
