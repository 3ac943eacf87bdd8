"""A sequence-to-sequence model: the probability of a target text given a source text.

    source (B, S) -> embedding -> encoder (B, S, H) -----------------> attention
                                     | final state                         |
    target (B, T) -> embedding -> causal encoder (B, T, H') -> attentional states (B, T, W)
                                                                           |
                                                                   output (N,) or (N, V)

Sutskever et al. 2014, Sequence to Sequence Learning with Neural Networks; Bahdanau et al. 2015,
Neural Machine Translation by Jointly Learning to Align and Translate; Luong et al. 2015, Effective
Approaches to Attention-based Neural Machine Translation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.contracts.types import (
    AttentionBuilder,
    Encoder,
    EncoderBuilder,
    Output,
    OutputBuilder,
    Stepper,
    SymbolsBuilder,
    Text,
)
from rnnpipe.errors import SettingsError, StructureError, expected
from rnnpipe.layers.dropout import Dropout
from rnnpipe.layers.precision import backpropagate
from rnnpipe.models.labelling.batching import partition
from rnnpipe.models.language.language_model import pad, present_rows, require_causal
from rnnpipe.models.translation.attend import Attend, Memory
from rnnpipe.models.translation.bridge import Bridge
from rnnpipe.models.translation.images import ImageReader, ImageSource, Sight
from rnnpipe.parts.outputs.sampled import SampledSoftmaxOutput
from rnnpipe.structures import Encoded, Sequences, State


@dataclass(frozen=True)
class Pair:
    """source: ``(S,)`` int64 symbols, or an image. target: inputs and targets, from the boundary
    before the first symbol to the one after the last."""

    source: np.ndarray | Sight
    target: Text

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class Alignment:
    """log_probabilities: ``(N,)`` float32, of each target symbol and the end, in nats. attention:
    ``(N, S)`` float32, the weight of each source symbol for each target symbol; ``None``
    without attention."""

    log_probabilities: np.ndarray
    attention: np.ndarray | None


@dataclass(frozen=True)
class Source:
    """Encoded texts or images: the attended states, if any, and the decoder's initial state, one
    row each."""

    memory: Memory | None
    state: State


@dataclass(frozen=True)
class Seq2SeqBuilder:
    """The settings of a model; see ``rnnpipe.Seq2Seq.v1`` and ``rnnpipe.ImageToText.v1``."""

    source: SymbolsBuilder | ImageSource
    target: SymbolsBuilder | None
    encoder: EncoderBuilder
    decoder: EncoderBuilder
    attention: AttentionBuilder | None
    output: OutputBuilder
    width: int
    input_feeding: bool = False
    reverse_source: bool = False
    dropout: float | None = None
    label_smoothing: float = 0.0
    max_padded_symbols: int = 8192

    def build(self, facts: dict[str, Any]) -> Seq2Seq:
        """Build the model. facts: of the source and the target symbols; ``None`` for the latter if
        both are the same."""
        source = self.source.build(facts["source"])
        reads = source if isinstance(source, ImageReader) else len(source)
        if self.target is None:
            return Seq2Seq(self, reads)
        return Seq2Seq(self, reads, len(self.target.build(facts["target"])))


class Seq2Seq(nn.Module):
    """A model with known sizes. The module's docstring shows the flow of the data.

    source: number of source symbols, or the reader of images.
    n_target: ``None``: source and target share the symbols and the embedding.

    Raises:
        StructureError: the encoder does not read the source, or the decoder is not causal.
        SettingsError: settings have no effect or do not fit.
    """

    source_embedding: nn.Embedding | ImageReader
    target_embedding: nn.Embedding

    def __init__(
        self, builder: Seq2SeqBuilder, source: int | ImageReader, n_target: int | None = None
    ) -> None:
        super().__init__()
        width = builder.width
        self.width = width
        if isinstance(source, ImageReader):
            assert n_target is not None
            self.source_embedding, n_in = source, source.n_out
        else:
            self.source_embedding, n_in = _embedding(source, width), width
        self.target_embedding = (
            cast(nn.Embedding, self.source_embedding)
            if n_target is None
            else _embedding(n_target, width)
        )
        encoder = builder.encoder(n_in)
        decoder = builder.decoder(width * (2 if builder.input_feeding else 1))
        _check(builder, encoder, decoder)
        self.encoder, self.decoder = cast(nn.Module, encoder), cast(nn.Module, decoder)
        self.bridge = Bridge(encoder, cast(Stepper, decoder))
        self.attend = None
        n_out = decoder.n_out
        if builder.attention is not None:
            self.attend = Attend(builder.attention, decoder.n_out, encoder.n_out, width)
            n_out = width
        self.output = cast(nn.Module, builder.output(n_out, self.target_embedding.weight))
        if builder.label_smoothing and isinstance(self.output, SampledSoftmaxOutput):
            want = "0 with rnnpipe.SampledSoftmax.v1, which does not score all symbols"
            do = "Remove label_smoothing, or use rnnpipe.FullSoftmax.v1."
            raise SettingsError(expected("label_smoothing", want, builder.label_smoothing, do))
        self.dropout = Dropout(builder.dropout)
        self.input_feeding = builder.input_feeding
        self.reverse_source = builder.reverse_source
        self.label_smoothing = builder.label_smoothing
        self.max_padded_symbols = builder.max_padded_symbols

    @property
    def device(self) -> torch.device:
        return self.target_embedding.weight.device

    # -- training ------------------------------------------------------------------------------

    def accumulate_gradients(self, pairs: Sequence[Pair], scale: float = 1.0) -> Tensor:
        """Add ``scale`` times the gradient of the loss to the parameters' gradients, unless
        gradients are off. The decoder reads the true symbols (teacher forcing). Return the summed
        cross-entropy in nats, without label smoothing, shape ``()``."""
        total = torch.zeros((), device=self.device)
        for rows in self._buckets(pairs):
            bucket = [pairs[i] for i in rows]
            states, _ = self._decode(bucket, self.encode([pair.source for pair in bucket]))
            loss, nats = self._loss(states, bucket)
            backpropagate(loss * scale)
            total = total + nats.detach()
        return total

    def _loss(self, states: Tensor, bucket: Sequence[Pair]) -> tuple[Tensor, Tensor]:
        """Return the training loss and the cross-entropy alone."""
        output, targets = cast(Output, self.output), _targets(bucket)
        rows = present_rows(self.dropout(states), _inputs(bucket))
        if not self.label_smoothing:
            nats = -output.score(rows, targets).sum()
            return nats, nats
        # A share of the truth is spread over all symbols (Szegedy et al. 2016).
        log_probabilities = output.log_probabilities(rows)  # (N, V)
        gold = torch.from_numpy(targets).to(self.device).unsqueeze(1)
        nats = -log_probabilities.gather(1, gold).sum()
        spread = -log_probabilities.mean(1).sum()
        return (1 - self.label_smoothing) * nats + self.label_smoothing * spread, nats

    # -- prediction ----------------------------------------------------------------------------

    def align(self, pairs: Sequence[Pair]) -> list[Alignment]:
        """Return the log-probability of each target and the attention."""
        results: dict[int, Alignment] = {}
        for rows in self._buckets(pairs):
            bucket = [pairs[i] for i in rows]
            states, weights = self._decode(bucket, self.encode([pair.source for pair in bucket]))
            rows_of_targets = present_rows(states, _inputs(bucket))
            scores = cast(Output, self.output).score(rows_of_targets, _targets(bucket))
            ends = np.cumsum([len(pair.target) for pair in bucket])
            parts = np.split(scores.cpu().numpy(), ends[:-1])
            looks = None if weights is None else weights.cpu().numpy()
            for row, (i, pair) in enumerate(zip(rows, bucket, strict=True)):
                shape = len(pair.target), len(pair.source)
                attention = None if looks is None else looks[row, : shape[0], : shape[1]].copy()
                results[i] = Alignment(parts[row], attention)
        return [results[i] for i in range(len(pairs))]

    # -- parts ---------------------------------------------------------------------------------

    def encode(self, sources: Sequence[Any]) -> Source:
        """Encode texts of symbols ``(S,)`` each, or images."""
        vectors, structure = self._read(sources)
        encoded: Encoded = self.encoder(self.dropout(vectors), structure)
        state = self.bridge(encoded, cast(Stepper, self.decoder).start(len(sources)))
        if self.attend is None:
            return Source(None, state)
        states = structure.reverse(encoded.states) if self.reverse_source else encoded.states
        states = self.dropout(states)  # (B, S, H)
        return Source(self.attend.memory(Encoded(states, structure, encoded.n_forward)), state)

    def _read(self, sources: Sequence[Any]) -> tuple[Tensor, Any]:
        """Return the source's vectors ``(B, S, D)``, and the structure."""
        if isinstance(self.source_embedding, ImageReader):
            read: tuple[Tensor, Any] = self.source_embedding(sources, self.device)
            return read
        order = -1 if self.reverse_source else 1
        symbols, structure = pad([source[::order] for source in sources], self.device)
        return structure.blank(self.source_embedding(symbols)), structure

    def _decode(self, bucket: Sequence[Pair], source: Source) -> tuple[Tensor, Tensor | None]:
        """Return the states that predict each next symbol, ``(B, T, W)``, and the attention ``(B,
        T, S)``."""
        symbols, structure = pad(_inputs(bucket), self.device)
        vectors = self.dropout(structure.blank(self.target_embedding(symbols)))  # (B, T, D)
        if self.input_feeding:
            return self._decode_stepwise(vectors, source)
        states: Tensor = self.decoder(vectors, structure, source.state).states
        if self.attend is None or source.memory is None:
            return states, None
        attentional, weights = self.attend(states, source.memory)
        return attentional, weights

    def _decode_stepwise(self, vectors: Tensor, source: Source) -> tuple[Tensor, Tensor]:
        """Decode with input feeding: every step reads the previous attentional state (Luong et al.
        2015). Steps at padding are computed and not used."""
        assert self.attend is not None and source.memory is not None
        one = Sequences.of([1] * len(vectors), self.device)
        fed, state = vectors.new_zeros(len(vectors), 1, self.width), source.state
        states, looks = [], []
        for x in torch.split(vectors, 1, dim=1):
            # The encoder's forward, not its step, which knows no dropout.
            encoded: Encoded = self.decoder(torch.cat([x, fed], dim=-1), one, state)
            fed, weights = self.attend(encoded.states, source.memory)
            state = encoded.state
            states.append(fed)
            looks.append(weights)
        return torch.cat(states, dim=1), torch.cat(looks, dim=1)

    def _buckets(self, pairs: Sequence[Pair]) -> list[list[int]]:
        """Group the indices of pairs of similar length."""
        lengths = np.array([max(len(p.source), len(p.target)) for p in pairs], dtype=np.int64)
        order = np.argsort(-lengths, kind="stable")
        return [run.tolist() for run in partition(order, lengths, self.max_padded_symbols)]


def _embedding(n_symbols: int, width: int) -> nn.Embedding:
    weight = torch.empty(n_symbols, width)
    if weight.is_meta:  # to fill what has no values, torch would import a compiler, for seconds
        return nn.Embedding(n_symbols, width, _weight=weight)
    embedding = nn.Embedding(n_symbols, width)
    nn.init.normal_(embedding.weight, std=width**-0.5)
    return embedding


def _inputs(bucket: Sequence[Pair]) -> list[np.ndarray]:
    return [pair.target.inputs for pair in bucket]


def _targets(bucket: Sequence[Pair]) -> np.ndarray:
    return np.concatenate([pair.target.targets for pair in bucket])


def _check(builder: Seq2SeqBuilder, encoder: Encoder, decoder: Encoder) -> None:
    source = builder.source
    given = source.structure.structure if isinstance(source, ImageSource) else Sequences
    if not issubclass(given, encoder.structure):
        want = f"an encoder of {'sequences' if given is Sequences else given.__name__}"
        do = "Choose another encoder, such as 'rnnpipe.BiLSTM.v1'."
        raise StructureError(expected("encoder", want, encoder.structure.__name__, do))
    require_causal(decoder, "decoder")
    if builder.input_feeding and builder.attention is None:
        do = "Set attention, whose result is fed, or remove input_feeding."
        raise SettingsError(expected("input_feeding", "false without attention", True, do))
    if builder.reverse_source and not encoder.causal:
        do = "Remove reverse_source, or choose a one-directional encoder."
        want = "false for a bidirectional encoder, where it has no effect"
        raise SettingsError(expected("reverse_source", want, True, do))
