"""Contextual word vectors: the states of a language model trained on raw text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from rnnpipe.contracts.types import BOUNDARY, DocLike, Encoder, Features, Layered, Stepper, Symbols
from rnnpipe.errors import StructureError, expected
from rnnpipe.layers.dropout import Dropout
from rnnpipe.structures import Sequences, State

#: The weights of the embedding of symbols and of the encoder, by these names.
Weights = Mapping[Literal["embedding", "encoder"], Mapping[str, Tensor]]


class LanguageModelEmbedding(nn.Module):
    """``e(t) = P gamma sum_j s_j h_j(t)``: ``h_j(t)`` the state of layer j after the last symbol of
    token t that the model reads; ``s`` a softmax over the layers and ``gamma`` a scale, both
    learned (Peters et al. 2018, Deep Contextualized Word Representations, equation 1); ``P`` a
    learned linear map, or the identity. With the top layer alone, ``e(t) = P h(t)``.

    For a model of characters that reads forward, the last symbol is the space after the token, or
    the token's last character where there is none; for one that reads backward, its first character
    (after Akbik et al. 2018, Contextual String Embeddings for Sequence Labeling). For a model of
    words it is the token. A token without symbols gets the state before the first symbol.

    All layers as wide as the top one are mixed, including the embedding of the symbols.

    symbols, encoder: of the language model, whose embedding of symbols is ``width`` wide.
    weights: loads the weights of the language model when the network is initialised.
    layers, finetune, project, dropout, max_length, max_padded_symbols: see
        ``rnnpipe.LanguageModelEmbedding.v1``; ``project`` is its ``width``.

    Raises:
        StructureError: there is only one layer to mix.
    """

    lexical = False

    def __init__(
        self,
        symbols: Symbols,
        encoder: Encoder,
        width: int,
        weights: Callable[[], Weights],
        *,
        layers: Literal["top", "mixture"],
        finetune: bool,
        project: int | None,
        dropout: float,
        max_length: int,
        max_padded_symbols: int,
    ) -> None:
        super().__init__()
        self.symbols = symbols
        self.embedding = nn.Embedding(len(symbols), width).requires_grad_(finetune)
        self.encoder = cast(nn.Module, encoder).requires_grad_(finetune)
        self.finetune = finetune
        self.max_length = max_length
        self.max_padded_symbols = max_padded_symbols
        self._weights = weights
        self.mixture = None if layers == "top" else Mixture(count_layers(encoder, width))
        self.n_out = project or encoder.n_out
        self.project = nn.Linear(encoder.n_out, project) if project else nn.Identity()
        self.dropout = Dropout(dropout)

    def initialize(self, vocab: Any) -> None:
        """Load the weights of the language model."""
        for name, tensors in self._weights().items():
            getattr(self, name).load_state_dict(tensors)

    def train(self, mode: bool = True) -> LanguageModelEmbedding:
        """Set the mode. A frozen language model stays in evaluation mode."""
        super().train(mode)
        if not self.finetune:
            self.encoder.eval()
        return self

    # -- from documents to symbols ---------------------------------------------------------------

    def featurize(self, items: Sequence[DocLike]) -> Features:
        """Return documents of similar length in runs, each read piece by piece. ``i`` counts runs,
        ``j`` the pieces of a run of B documents:

        ``symbols.i.j``: ``(B, T)`` int64, padded. ``lengths.i.j``: ``(B,)`` int64. ``ends.i.j``:
        ``(n,)`` int64, where in the flattened ``(B * T)`` piece tokens end. ``order``: ``(N,)``
        int64, the index of each token among all those.
        """
        items = [doc for doc in items if len(doc)]
        texts = [np.concatenate([[BOUNDARY], self.symbols.read(doc)]) for doc in items]
        ends = [_ends(self.symbols.owners(doc), len(doc)) for doc in items]
        features: Features = {}
        tokens: list[np.ndarray] = []  # in the order in which their ends are met
        first = np.cumsum([0, *map(len, ends)])
        for i, run in enumerate(self._runs([len(text) for text in texts])):
            row = np.concatenate([np.full(len(ends[d]), r) for r, d in enumerate(run)])
            token = np.concatenate([first[d] + np.arange(len(ends[d])) for d in run])
            end = np.concatenate([ends[d] for d in run])
            for j, begin in enumerate(range(0, len(texts[run[0]]), self.max_length)):
                piece = [texts[d][begin : begin + self.max_length] for d in run]
                size = len(piece[0])
                padded = np.full((len(run), size), BOUNDARY)
                for values, part in zip(padded, piece, strict=True):
                    values[: len(part)] = part
                here = np.flatnonzero(end // self.max_length == j)
                tokens.append(token[here])
                features[f"symbols.{i}.{j}"] = padded
                features[f"lengths.{i}.{j}"] = np.array([len(part) for part in piece])
                features[f"ends.{i}.{j}"] = row[here] * size + end[here] - begin
        met = np.concatenate([np.zeros(0, dtype=np.int64), *tokens])
        return {**features, "order": np.argsort(met)}

    def _runs(self, lengths: Sequence[int]) -> list[list[int]]:
        """Group documents, the longest first, into runs whose pieces keep within the maximum
        size."""
        order = sorted(range(len(lengths)), key=lambda d: -lengths[d])
        runs = []
        while order:
            longest = min(lengths[order[0]], self.max_length)
            n = max(1, self.max_padded_symbols // longest)
            runs.append(order[:n])
            order = order[n:]
        return runs

    # -- from symbols to vectors -----------------------------------------------------------------

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors, ``(N, n_out)``."""
        with nullcontext() if self.finetune else torch.no_grad():
            states = self._read(features)  # (N, J, H)
        x = states.squeeze(1) if self.mixture is None else self.mixture(states)  # (N, H)
        output: Tensor = self.dropout(self.project(x))
        return output

    def _read(self, features: Mapping[str, Tensor]) -> Tensor:
        n_layers = 1 if self.mixture is None else self.mixture.n_layers
        met = [self.embedding.weight.new_zeros(0, n_layers, cast(int, self.encoder.n_out))]
        runs = Counter(name.split(".")[1] for name in features if name.startswith("symbols."))
        for i, n_pieces in runs.items():
            state = cast(Stepper, self.encoder).start(len(features[f"lengths.{i}.0"]))
            for j in range(n_pieces):
                symbols, lengths, ends = (
                    features[f"{name}.{i}.{j}"] for name in ("symbols", "lengths", "ends")
                )
                read = partial(self._piece, symbols, lengths, ends)
                if n_pieces > 1 and torch.is_grad_enabled():
                    # Recomputed in the backward pass: the states of all symbols are not kept.
                    states, state = checkpoint(read, state, use_reentrant=False)
                else:
                    states, state = read(state)
                met.append(states)
        return torch.cat(met).index_select(0, features["order"])

    def _piece(
        self, symbols: Tensor, lengths: Tensor, ends: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """Return the states at the ends of tokens, ``(n, J, H)``, and the state after the piece."""
        structure = Sequences(lengths, symbols.shape[1])
        vectors = structure.blank(self.embedding(symbols))
        read = top_layer if self.mixture is None else mixed_layers
        layers, state = read(cast(Encoder, self.encoder), vectors, structure, state)
        return torch.stack([x.flatten(0, 1).index_select(0, ends) for x in layers], 1), state


def top_layer(
    encoder: Encoder, vectors: Tensor, structure: Sequences, state: State
) -> tuple[list[Tensor], State]:
    """Return the states of the top layer, ``(B, T, H)``, and the state after them."""
    encoded = encoder(vectors, structure, state)
    return [encoded.states], encoded.state


def mixed_layers(
    encoder: Encoder, vectors: Tensor, structure: Sequences, state: State
) -> tuple[list[Tensor], State]:
    """Return the vectors of the symbols and the states of the layers as wide as the top one, the
    lowest first, and the state after them."""
    layers = cast(Layered, encoder).encode_layers(vectors, structure, state)
    states = [vectors, *(encoded.states for encoded in layers)]
    return [x for x in states if x.shape[-1] == encoder.n_out], layers[-1].state


def count_layers(encoder: Encoder, width: int) -> int:
    """Return the number of layers to mix. Raise StructureError if it is 1."""
    n_layers = 1
    if isinstance(encoder, Layered):
        one = Sequences.of([1])
        n_layers = len(mixed_layers(encoder, torch.zeros(1, 1, width), one, None)[0])
    if n_layers == 1:
        where = "rnnpipe.LanguageModelEmbedding.v1, layers"
        want = "'top', since the language model has only one layer as wide as its top layer"
        raise StructureError(expected(where, want, "mixture", "Set layers = 'top'."))
    return n_layers


class Mixture(nn.Module):
    """``gamma sum_j softmax(a)_j h_j``, initially the mean."""

    def __init__(self, n_layers: int) -> None:
        super().__init__()
        self.n_layers = n_layers
        self.logits = nn.Parameter(torch.zeros(n_layers))
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, states: Tensor) -> Tensor:
        """Return the mixed layers, ``(N, J, H) -> (N, H)``."""
        shares = self.logits.softmax(0).unsqueeze(1)  # (J, 1)
        return self.scale * (shares * states).sum(1)


def _ends(owners: np.ndarray, n_tokens: int) -> np.ndarray:
    """Return the position of each token's last symbol, ``(n_tokens,)``, from 1; 0 without
    symbols."""
    ends = np.zeros(n_tokens, dtype=np.int64)
    np.maximum.at(ends, owners, np.arange(1, len(owners) + 1))
    return ends
