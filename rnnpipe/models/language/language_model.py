"""A language model: the probability of every symbol of a text given those before it.

    symbols (B, T) -> embedding (B, T, D) -> causal encoder (B, T, H) -> output (N,) or (N, V)

Texts of any length are computed in pieces that pass on their state. Prediction is exact; in
training, gradients end at the start of a piece (truncated backpropagation through time).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.contracts.types import (
    BOUNDARY,
    Adaptation,
    Encoder,
    EncoderBuilder,
    Output,
    OutputBuilder,
    Stepper,
    SymbolsBuilder,
    Text,
)
from rnnpipe.errors import StructureError
from rnnpipe.layers.dropout import Dropout
from rnnpipe.layers.precision import backpropagate
from rnnpipe.models.language.exposure import ScheduledSampling, draw, drop_symbols
from rnnpipe.models.language.streams import StreamMemory
from rnnpipe.structures import Encoded, Sequences, State, map_state


@dataclass(frozen=True)
class LanguageModelBuilder:
    """The settings of a language model; see ``rnnpipe.LanguageModel.v1``."""

    symbols: SymbolsBuilder
    encoder: EncoderBuilder
    output: OutputBuilder
    width: int
    dropout: float | None = None
    locked: bool = False
    embedding_dropout: float = 0.0
    activation_regularisation: float = 0.0
    temporal_regularisation: float = 0.0
    word_dropout: float = 0.0
    scheduled_sampling: float = 0.0
    sampling_ramp: int = 1
    max_length: int = 512
    max_padded_symbols: int = 8192
    adaptation: Adaptation | None = None

    def build(self, facts: dict[str, Any]) -> LanguageModel:
        return LanguageModel(self, len(self.symbols.build(facts)))


class LanguageModel(nn.Module):
    """A language model with known sizes. The module's docstring shows the flow of the data."""

    def __init__(self, builder: LanguageModelBuilder, n_symbols: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_symbols, builder.width)
        nn.init.normal_(self.embedding.weight, std=builder.width**-0.5)
        encoder = builder.encoder(builder.width)
        require_causal(encoder)
        self.encoder = cast(nn.Module, encoder)
        self.output = cast(nn.Module, builder.output(encoder.n_out, self.embedding.weight))
        self.dropout = Dropout(builder.dropout, builder.locked)
        self.embedding_dropout = Dropout(builder.embedding_dropout)
        self.activation_regularisation = builder.activation_regularisation
        self.temporal_regularisation = builder.temporal_regularisation
        self.word_dropout = builder.word_dropout
        self.sampling = (
            ScheduledSampling(builder.scheduled_sampling, builder.sampling_ramp)
            if builder.scheduled_sampling
            else None
        )
        self.max_length = builder.max_length
        self.max_padded_symbols = builder.max_padded_symbols
        self.memory = StreamMemory()

    # -- training ------------------------------------------------------------------------------

    def accumulate_gradients(self, texts: Sequence[Text], scale: float = 1.0) -> Tensor:
        """Add ``scale`` times the gradient of the loss to the parameters' gradients, unless
        gradients are off. Return the summed cross-entropy in nats, shape ``()``, without
        regularisation.

        A chunk of a stream begins with the final state of the previous chunk and stores its own. If
        gradients are off, it begins from the start and stores nothing.
        """
        device = self.embedding.weight.device
        learns = torch.is_grad_enabled()
        if self.sampling is not None and learns:
            self.sampling.updates += 1
        total = torch.zeros((), device=device)
        for rows in self._buckets(texts):
            bucket = [texts[i] for i in rows]
            places = [text.place for text in bucket if text.place is not None and learns]
            state = cast(Stepper, self.encoder).start(len(bucket))
            if places:
                state = self.memory.recall(places, state)
            for begin in self._pieces(bucket):
                scores, encoded, dropped = self._score(bucket, begin, state)
                loss = -scores.sum()
                backpropagate((loss + self._penalty(encoded, dropped)) * scale)
                total = total + loss.detach()
                state = map_state(Tensor.detach, encoded.state)
            if places:
                self.memory.keep(places, state)
        return total

    # -- prediction ----------------------------------------------------------------------------

    def log_likelihoods(self, texts: Sequence[Text]) -> list[np.ndarray]:
        """Return the log-probability of every target of every text in nats, ``(N,)`` float32."""

        def score(bucket: Sequence[Text], begin: int, state: State) -> tuple[Tensor, State]:
            scores, encoded, _ = self._score(bucket, begin, state)
            return scores, encoded.state

        return self._by_piece(texts, score, np.float32)

    def with_drawn_targets(self, texts: Sequence[Text]) -> list[Text]:
        """Return the texts with targets sampled from the model, each given the text's own
        inputs."""

        def write(bucket: Sequence[Text], begin: int, state: State) -> tuple[Tensor, State]:
            inputs = [text.inputs[self._piece(begin)] for text in bucket]
            encoded = self._encode(*pad(inputs, self.embedding.weight.device), state)
            return present_rows(self._drawn(encoded).unsqueeze(-1), inputs)[:, 0], encoded.state

        drawn = self._by_piece(texts, write, np.int64)
        return [replace(text, targets=targets) for text, targets in zip(texts, drawn, strict=True)]

    def log_likelihood(self, text: Text, state: State) -> tuple[np.ndarray, State]:
        """Return the log-probability of every target of a text in nats, ``(N,)`` float32, and its
        final state. The text continues from a state of one row."""
        parts = [np.zeros(0, dtype=np.float32)]
        for part in text.parts(self.max_length):
            scores, encoded = self.score(part, state)
            state = encoded.state
            parts.append(scores.cpu().numpy())
        return np.concatenate(parts), state

    def score(self, text: Text, state: State) -> tuple[Tensor, Encoded]:
        """Return the log-probabilities ``(N,)`` of the targets of a text of at most ``max_length``
        symbols, and its states. The text continues from a state of one row."""
        scores, encoded, _ = self._score([text], 0, state)
        return scores, encoded

    def read(self, symbols: np.ndarray, state: State) -> State:
        """Return the state after more symbols ``(N,)``. state: of one row."""
        for begin in range(0, len(symbols), self.max_length):
            piece = [symbols[self._piece(begin)]]
            state = self._encode(*pad(piece, self.embedding.weight.device), state).state
        return state

    # -- parts ---------------------------------------------------------------------------------

    def _by_piece(
        self,
        texts: Sequence[Text],
        function: Callable[[Sequence[Text], int, State], tuple[Tensor, State]],
        dtype: type[np.generic],
    ) -> list[np.ndarray]:
        """Apply a function to every piece and return its values for all targets of each text,
        ``(N,)``.

        function: maps texts, the start of their piece and the state before it to one value per
            target of the piece, text by text, and the state after it.
        """
        results = [np.zeros(len(text), dtype=dtype) for text in texts]
        for rows in self._buckets(texts):
            bucket = [texts[i] for i in rows]
            state = cast(Stepper, self.encoder).start(len(bucket))
            for begin in self._pieces(bucket):
                values, state = function(bucket, begin, state)
                ends = np.cumsum([len(text.targets[self._piece(begin)]) for text in bucket])
                for i, part in zip(rows, np.split(values.cpu().numpy(), ends[:-1]), strict=True):
                    results[i][self._piece(begin)] = part
        return results

    def _score(
        self, bucket: Sequence[Text], begin: int, state: State
    ) -> tuple[Tensor, Encoded, Tensor]:
        """Return the log-probabilities of the targets of one piece, ``(N,)``, text by text; the
        states; and the output's inputs, ``(B, T, H)``."""
        inputs = [text.inputs[self._piece(begin)] for text in bucket]
        targets = np.concatenate([text.targets[self._piece(begin)] for text in bucket])
        symbols, structure = pad(inputs, self.embedding.weight.device)
        if self.training:
            symbols = self._disturb(symbols, structure, state)
        encoded: Encoded = self.encoder(self._vectors(symbols, structure), structure, state)
        dropped = self.dropout(encoded.states)
        scores = cast(Output, self.output).score(present_rows(dropped, inputs), targets)
        return scores, encoded, dropped

    def _disturb(self, symbols: Tensor, structure: Sequences, state: State) -> Tensor:
        """Return the inputs for training, ``(B, T)``, made of the true symbols."""
        if self.sampling is not None:
            with torch.no_grad():
                drawn = self._drawn(self._encode(symbols, structure, state))
            symbols = self.sampling.mix(symbols, drawn)
        return drop_symbols(symbols, self.word_dropout) if self.word_dropout else symbols

    def _drawn(self, encoded: Encoded) -> Tensor:
        """Sample a symbol after each state, ``(B, T)``."""
        return draw(cast(Output, self.output).log_probabilities(self.dropout(encoded.states)))

    def _encode(self, symbols: Tensor, structure: Sequences, state: State) -> Encoded:
        """Encode symbols ``(B, T)``."""
        return cast(Encoded, self.encoder(self._vectors(symbols, structure), structure, state))

    def _vectors(self, symbols: Tensor, structure: Sequences) -> Tensor:
        """Return the encoder's inputs, ``(B, T, D)``."""
        weight = self.embedding.weight
        if self.training and self.embedding_dropout.effective_rate:
            # Whole symbols, wherever they occur (Gal and Ghahramani 2016).
            weight = weight * self.embedding_dropout.mask((len(weight), 1), like=weight)
        vectors = nn.functional.embedding(symbols, weight)  # (B, T, D)
        if min(structure.host_lengths or (0,)) < structure.size:
            vectors = structure.blank(vectors)
        return cast(Tensor, self.dropout(vectors))

    def _penalty(self, encoded: Encoded, dropped: Tensor) -> Tensor:
        """Compute the penalty on large states and on their changes (Merity et al. 2017), with m the
        dropout of the output's inputs, summed over the positions t, shape ``()``::

            alpha * mean((m h_t)^2) + beta * mean((h_t - h_{t-1})^2)
        """
        total = torch.zeros((), device=dropped.device)
        if self.activation_regularisation:
            total = total + self.activation_regularisation * dropped.square().mean(-1).sum()
        if self.temporal_regularisation:
            change = encoded.states.diff(dim=1).square().mean(-1) * encoded.mask[:, 1:]
            total = total + self.temporal_regularisation * change.sum()
        return total

    def _piece(self, begin: int) -> slice:
        return slice(begin, begin + self.max_length)

    def _pieces(self, bucket: Sequence[Text]) -> range:
        return range(0, max(map(len, bucket)), self.max_length)

    def _buckets(self, texts: Sequence[Text]) -> Iterator[list[int]]:
        """Group the indices of texts of similar length: none is empty, and either all or none are
        chunks of streams."""
        present = [i for i, text in enumerate(texts) if len(text)]
        for in_stream in (True, False):
            kind = [i for i in present if (texts[i].place is not None) == in_stream]
            bucket: list[int] = []
            for i in sorted(kind, key=lambda i: -len(texts[i])):
                size = min(len(texts[bucket[0] if bucket else i]), self.max_length)
                if bucket and size * (len(bucket) + 1) > self.max_padded_symbols:
                    yield bucket
                    bucket = []
                bucket.append(i)
            if bucket:
                yield bucket


def pad(symbols: Sequence[np.ndarray], device: torch.device) -> tuple[Tensor, Sequences]:
    """Pad the symbols ``(N,)`` of each text with :data:`BOUNDARY` to ``(B, T)``."""
    structure = Sequences.of([len(x) for x in symbols], device)
    padded = np.full((len(symbols), structure.size), BOUNDARY)
    for row, x in zip(padded, symbols, strict=True):
        row[: len(x)] = x
    return torch.from_numpy(padded).to(device), structure


def present_rows(x: Tensor, symbols: Sequence[np.ndarray]) -> Tensor:
    """Drop the padding, text by text: ``(B, T, D) -> (N, D)``."""
    rows, size = x.flatten(0, 1), x.shape[1]
    present = [row * size + np.arange(len(text)) for row, text in enumerate(symbols)]
    index = np.concatenate([np.zeros(0, dtype=np.int64), *present])
    if len(index) == len(rows):
        return rows
    return rows.index_select(0, torch.from_numpy(index).to(x.device))


def require_causal(encoder: Encoder, setting: str = "encoder") -> None:
    """Raise StructureError unless the encoder reads text from left to right, step by step."""
    if not (encoder.causal and encoder.structure is Sequences and isinstance(encoder, Stepper)):
        raise StructureError(
            f"{setting}: expected a causal encoder, which never looks ahead, got "
            f"{type(encoder).__name__}: a language model that sees the next symbol does not "
            f"learn to predict it. Choose a one-directional encoder such as "
            "'rnnpipe.LSTM.v1'."
        )
