"""Word vectors from a word's characters: by a convolution, or by a recurrent network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.contracts.registry import embeddings
from rnnpipe.contracts.types import EncoderBuilder, Features, PositiveInt, Words
from rnnpipe.errors import SettingsError, StructureError, expected
from rnnpipe.parts.embeddings.builder import SingleEmbedding, frequent
from rnnpipe.structures import Sequences

#: Symbols that are not characters. A word is spelled BEGIN, its characters, END.
PADDING, UNKNOWN, BEGIN, END, N_SPECIAL = range(5)


@embeddings("rnnpipe.CharCNN.v1")
@dataclass(frozen=True)
class CharCNN(SingleEmbedding):
    """A convolution over the characters of a word, with the maximum over the word.

    width: total number of filters, shared evenly among the kernel sizes.
    char_width: size of a character vector.
    kernel_sizes: numbers of neighbouring symbols that a filter reads.
    max_length: maximum number of characters; of a longer word, the first and the last are kept.
    min_frequency: a character needs this many occurrences in training to get its own vector.

    Raises:
        SettingsError: there are no kernel sizes, or they cannot share the width.
    """

    width: PositiveInt = 50
    char_width: PositiveInt = 30
    kernel_sizes: Sequence[PositiveInt] = (3,)
    max_length: PositiveInt = 32
    min_frequency: PositiveInt = 1

    def __post_init__(self) -> None:
        if not self.kernel_sizes or self.width % len(self.kernel_sizes):
            raise SettingsError(
                expected(
                    "rnnpipe.CharCNN.v1, kernel_sizes",
                    f"one or more sizes that share width = {self.width} evenly",
                    list(self.kernel_sizes),
                    "Set width to a multiple of the number of kernel sizes.",
                )
            )

    def measure(self, counts: Mapping[str, int], vocab: Any) -> dict[str, Any]:
        return learn_characters(counts, self.min_frequency, "rnnpipe.CharCNN.v1")

    def build(self, facts: dict[str, Any]) -> CharCNNEmbedding:
        return CharCNNEmbedding(self, **facts)


@embeddings("rnnpipe.CharRNN.v1")
@dataclass(frozen=True)
class CharRNN(SingleEmbedding):
    """A recurrent network over the characters of a word, with its final state as the vector.

    encoder: any registered encoder of sequences; its width is the width of the embedding.
    char_width, max_length, min_frequency: see ``rnnpipe.CharCNN.v1``.
    """

    encoder: EncoderBuilder
    char_width: PositiveInt = 30
    max_length: PositiveInt = 32
    min_frequency: PositiveInt = 1

    def measure(self, counts: Mapping[str, int], vocab: Any) -> dict[str, Any]:
        return learn_characters(counts, self.min_frequency, "rnnpipe.CharRNN.v1")

    def build(self, facts: dict[str, Any]) -> CharRNNEmbedding:
        return CharRNNEmbedding(self, **facts)


def learn_characters(counts: Mapping[str, int], min_frequency: int, where: str) -> dict[str, Any]:
    """Return ``characters``, the distinct characters of the training words, sorted by code
    point."""
    occurrences: Counter[str] = Counter()
    for word, n in counts.items():
        for character in word:
            occurrences[character] += n
    return {"characters": "".join(sorted(frequent(occurrences, min_frequency, where)))}


class Alphabet:
    """A mapping from characters to numbers: ``N_SPECIAL + i`` for character i, UNKNOWN for others.

    characters: sorted by code point. max_length: maximum number of characters per word; a longer
        word keeps half from its head and half from its tail.
    """

    def __init__(self, characters: str, max_length: int) -> None:
        self.code_points = np.array([ord(c) for c in characters], dtype=np.uint32)
        self.head = (max_length + 1) // 2
        self.tail = max_length // 2

    def __len__(self) -> int:
        return N_SPECIAL + len(self.code_points)

    def spell(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return all words' symbols end to end, ``(N,)`` int64, and how many each word has,
        ``(U,)``."""
        texts = [self._shorten(text) for text in texts]
        lengths = np.array([len(text) + 2 for text in texts], dtype=np.int64)
        ends = np.cumsum(lengths)
        symbols = np.full(lengths.sum(), UNKNOWN, dtype=np.int64)
        symbols[ends - lengths] = BEGIN
        symbols[ends - 1] = END
        codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        symbols[symbols == UNKNOWN] = self._numbers(codes)
        return symbols, lengths

    def _shorten(self, text: str) -> str:
        if len(text) <= self.head + self.tail:
            return text
        return text[: self.head] + text[len(text) - self.tail :]

    def _numbers(self, codes: np.ndarray) -> np.ndarray:
        places = np.searchsorted(self.code_points, codes)
        places[places == len(self.code_points)] = 0
        return np.where(self.code_points[places] == codes, places + N_SPECIAL, UNKNOWN)


def character_table(alphabet: Alphabet, width: int) -> nn.Embedding:
    """Return character vectors, uniform in ``+-sqrt(3 / width)`` (length about 1). PADDING stays
    zero. UNKNOWN starts at zero, which is neutral if no character of the training words is unknown.
    """
    table = nn.Embedding(len(alphabet), width, padding_idx=PADDING)
    bound = (3 / width) ** 0.5
    nn.init.uniform_(table.weight, -bound, bound)
    with torch.no_grad():
        table.weight[PADDING : UNKNOWN + 1] = 0.0
    return table


class CharCNNEmbedding(nn.Module):
    """``e(w)_f = tanh(b_f + max_t sum_j F_fj c(w, t + j))``: character vectors c, filter F over k
    neighbours, t over all symbols of the word, zeros beyond its ends (Kim et al. 2016,
    Character-Aware Neural Language Models; Ma and Hovy 2016 with one kernel size of 3).

    Characters are few and positions many. Each character's product with each filter column is
    computed once, and a position adds up k rows of that table. Words are concatenated without
    padding.
    """

    lexical = True

    def __init__(self, settings: CharCNN, characters: str) -> None:
        super().__init__()
        self.n_out, char_width = settings.width, settings.char_width
        self.alphabet = Alphabet(characters, settings.max_length)
        self.table = character_table(self.alphabet, char_width)
        self.kernel_sizes = sizes = tuple(settings.kernel_sizes)
        n_filters = self.n_out // len(sizes)
        # (D, k * F): what F filters make of the first symbol of k, of the second, ...
        self.filters = nn.ParameterList(
            torch.empty(char_width, k * n_filters).uniform_(-bound, bound)
            for k, bound in (
                (k, (6 / (k * char_width + n_filters)) ** 0.5) for k in self.kernel_sizes
            )
        )
        self.bias = nn.Parameter(torch.zeros(self.n_out))

    def initialize(self, vocab: Any) -> None:
        """Do nothing: all weights are learned."""

    def featurize(self, items: Words) -> Features:
        """Return ``symbols``, ``(C,)`` int64, the distinct symbols of these words; ``windows``,
        ``(N, K)`` int64, the indices in ``symbols`` of the K symbols around each position, K the
        largest kernel size; ``starts``, ``(U,)`` int64, the first position of each word."""
        symbols, lengths = self.alphabet.spell(items.texts())
        size = max(self.kernel_sizes)
        word_of = np.repeat(np.arange(len(lengths)), lengths)
        opens = np.arange(len(symbols)) + word_of * (size - 1)  # where each window opens
        padded = np.full(len(symbols) + len(lengths) * (size - 1), PADDING, dtype=np.int64)
        padded[opens + (size - 1) // 2] = symbols
        distinct, places = np.unique(padded, return_inverse=True)
        windows = places[opens[:, None] + np.arange(size)]  # (N, K)
        return {"symbols": distinct, "windows": windows, "starts": np.cumsum(lengths) - lengths}

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors, ``(U, width)``."""
        symbols = self.table(features["symbols"])  # (C, D)
        windows, size = features["windows"], max(self.kernel_sizes)
        positions = []
        for k, filters in zip(self.kernel_sizes, self.filters, strict=True):
            products = (symbols @ filters).view(-1, filters.shape[1] // k)  # (C * k, F)
            begin = (size - 1) // 2 - (k - 1) // 2
            rows = windows[:, begin : begin + k] * k + torch.arange(k, device=windows.device)
            positions.append(F.embedding_bag(rows, products, mode="sum"))  # (N, F)
        values = torch.cat(positions, dim=1)  # (N, width)
        # A maximum over each word. (segment_reduce miscounts negative gradients at ties.)
        every = torch.arange(len(values), device=values.device)
        best = F.embedding_bag(every, values, features["starts"], mode="max")  # (U, width)
        return torch.tanh(best + self.bias)


class CharRNNEmbedding(nn.Module):
    """``e(w)``: the final state of an encoder that reads the word's characters; for a bidirectional
    one, the forward half after the last symbol and the backward half after the first (Lample et al.
    2016, Neural Architectures for Named Entity Recognition).

    Raises:
        StructureError: the encoder does not read sequences.
    """

    lexical = True

    def __init__(self, settings: CharRNN, characters: str) -> None:
        super().__init__()
        self.alphabet = Alphabet(characters, settings.max_length)
        self.table = character_table(self.alphabet, settings.char_width)
        built = settings.encoder(settings.char_width)
        if built.structure is not Sequences:
            raise StructureError(
                expected(
                    "rnnpipe.CharRNN.v1, encoder",
                    "an encoder of Sequences",
                    f"{type(built).__name__} of {built.structure.__name__}",
                    "Use a sequence encoder such as rnnpipe.BiLSTM.v1.",
                )
            )
        self.n_out = built.n_out
        self.encoder = cast(nn.Module, built)

    def initialize(self, vocab: Any) -> None:
        """Do nothing: all weights are learned."""

    def featurize(self, items: Words) -> Features:
        """Return ``symbols``, ``(U, L)`` int64, padded, and ``lengths``, ``(U,)`` int64."""
        symbols, lengths = self.alphabet.spell(items.texts())
        padded = np.full((len(lengths), lengths.max(initial=0)), PADDING, dtype=np.int64)
        padded[np.arange(padded.shape[1]) < lengths[:, None]] = symbols
        return {"symbols": padded, "lengths": lengths}

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors, ``(U, n_out)``."""
        symbols = features["symbols"]
        structure = Sequences(features["lengths"], symbols.shape[1])
        final: Tensor = self.encoder(self.table(symbols), structure).final
        return final
