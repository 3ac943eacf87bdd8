"""A language model: the probability of every symbol of a text given those before it.

    symbols (B, T) -> embedding (B, T, D) -> causal encoder (B, T, H) -> output (N,) or (N, V)

Texts of any length are computed in pieces that hand their state on: exactly in prediction; in
training the gradient ends where a piece begins (truncated backpropagation through time).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.dropout import Dropout
from rnnpipe.errors import StructureError
from rnnpipe.streams import Place, StreamMemory, map_state
from rnnpipe.structures import Sequences, State
from rnnpipe.types import (
    BOUNDARY,
    Encoder,
    EncoderBuilder,
    Output,
    OutputBuilder,
    Stepper,
    SymbolsBuilder,
)


@dataclass(frozen=True)
class Text:
    """inputs, targets: ``(N,)`` int64; symbol ``targets[i]`` follows on ``inputs[: i + 1]``.
    place: where the text stands in a longer one, or ``None`` if it is whole."""

    inputs: np.ndarray
    targets: np.ndarray
    place: Place | None = None

    def __len__(self) -> int:
        return len(self.targets)


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
    max_length: int = 512
    max_padded_symbols: int = 8192

    def build(self, facts: dict[str, Any]) -> LanguageModel:
        return LanguageModel(self, len(self.symbols.build(facts)))


class LanguageModel(nn.Module):
    """A language model with known sizes. See the module's text for the way of the data."""

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
        self.max_length = builder.max_length
        self.max_padded_symbols = builder.max_padded_symbols
        self.memory = StreamMemory()

    # -- training ------------------------------------------------------------------------------

    def accumulate_gradients(self, texts: Sequence[Text], scale: float = 1.0) -> Tensor:
        """Add ``scale`` times the gradient of the loss to the parameters' gradients.

        Chunks of a stream begin with the state that the chunk before has left, and leave theirs.

        RETURNS: the summed cross-entropy in nats, shape ``()``.
        """
        device = self.embedding.weight.device
        total = torch.zeros((), device=device)
        for rows in self._buckets(texts):
            bucket = [texts[i] for i in rows]
            places = [text.place for text in bucket if text.place is not None]
            state = cast(Stepper, self.encoder).start(len(bucket))
            if places:
                state = self.memory.recall(places, state)
            for begin in self._pieces(bucket):
                scores, state = self._score(bucket, begin, state)
                loss = -scores.sum()
                with _full_precision(device):
                    torch.autograd.backward(loss * scale)
                total = total + loss.detach()
                state = map_state(Tensor.detach, state)
            if places:
                self.memory.keep(places, state)
        return total

    # -- prediction ----------------------------------------------------------------------------

    def log_likelihoods(self, texts: Sequence[Text]) -> list[np.ndarray]:
        """The log-probability of every target of every text, ``(N,)`` float32, in nats."""
        results = [np.zeros(len(text), dtype=np.float32) for text in texts]
        for rows in self._buckets(texts):
            bucket = [texts[i] for i in rows]
            state = cast(Stepper, self.encoder).start(len(bucket))
            for begin in self._pieces(bucket):
                scores, state = self._score(bucket, begin, state)
                ends = np.cumsum([len(text.targets[self._piece(begin)]) for text in bucket])
                for i, part in zip(rows, np.split(scores.cpu().numpy(), ends[:-1]), strict=True):
                    results[i][self._piece(begin)] = part
        return results

    def log_likelihood(self, text: Text, state: State) -> tuple[np.ndarray, State]:
        """The log-probability of every target of a text that goes on from a state of one row,
        ``(N,)`` float32, in nats, and the state after it."""
        parts = [np.zeros(0, dtype=np.float32)]
        for begin in self._pieces([text]):
            scores, state = self._score([text], begin, state)
            parts.append(scores.cpu().numpy())
        return np.concatenate(parts), state

    def read(self, symbols: np.ndarray, state: State) -> State:
        """The state after some more symbols ``(N,)``. state: of one row."""
        for begin in range(0, len(symbols), self.max_length):
            piece = [symbols[self._piece(begin)]]
            vectors, structure = self._embed(piece)
            state = self.encoder(vectors, structure, state).state
        return state

    # -- parts ---------------------------------------------------------------------------------

    def _score(self, bucket: Sequence[Text], begin: int, state: State) -> tuple[Tensor, State]:
        """The log-probabilities of the targets of one piece, one text's after the other's, and the
        state after it."""
        inputs = [text.inputs[self._piece(begin)] for text in bucket]
        targets = np.concatenate([text.targets[self._piece(begin)] for text in bucket])
        vectors, structure = self._embed(inputs)
        encoded = self.encoder(vectors, structure, state)
        states = self.dropout(encoded.states).flatten(0, 1)  # (B * T, H)
        if len(targets) < len(states):
            present = np.concatenate(
                [row * structure.size + np.arange(len(x)) for row, x in enumerate(inputs)]
            )
            states = states.index_select(0, torch.from_numpy(present).to(states.device))
        return cast(Output, self.output).score(states, targets), encoded.state

    def _embed(self, inputs: Sequence[np.ndarray]) -> tuple[Tensor, Sequences]:
        """``(B, T, D)``, zeros at padding."""
        device = self.embedding.weight.device
        structure = Sequences.of([len(x) for x in inputs], device)
        padded = np.full((len(inputs), structure.size), BOUNDARY)
        for row, x in zip(padded, inputs, strict=True):
            row[: len(x)] = x
        weight = self.embedding.weight
        if self.training and self.embedding_dropout.effective_rate:
            # Whole symbols, wherever they occur (Gal and Ghahramani 2016).
            weight = weight * self.embedding_dropout.mask((len(weight), 1), like=weight)
        vectors = nn.functional.embedding(torch.from_numpy(padded).to(device), weight)
        if any(len(x) < structure.size for x in inputs):
            vectors = structure.blank(vectors)
        return self.dropout(vectors), structure

    def _piece(self, begin: int) -> slice:
        return slice(begin, begin + self.max_length)

    def _pieces(self, bucket: Sequence[Text]) -> range:
        return range(0, max(map(len, bucket)), self.max_length)

    def _buckets(self, texts: Sequence[Text]) -> Iterator[list[int]]:
        """The numbers of texts that are computed together: of similar length, none empty, and
        either all chunks of streams or none."""
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


def _full_precision(device: torch.device) -> AbstractContextManager[Any]:
    """The backward pass is not to run under autocast."""
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def require_causal(encoder: Encoder) -> None:
    """Raises StructureError unless the encoder reads text from left to right, step by step."""
    if not (encoder.causal and encoder.structure is Sequences and isinstance(encoder, Stepper)):
        raise StructureError(
            "encoder: expected a causal one, which reads a text from its first symbol on and never "
            f"looks ahead, got {type(encoder).__name__}: a language model that sees the next "
            "symbol learns nothing by predicting it. Choose a one-directional encoder such as "
            "'rnnpipe.LSTM.v1'."
        )
