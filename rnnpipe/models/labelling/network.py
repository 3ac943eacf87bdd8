"""The network of a component: embeddings, encoder, pooler and decoder, combined by a config.

    words of the batch -> lexical embeddings (once per distinct word) ┐
    tokens of the batch -> contextual embeddings ─────────────────────┴-> (B, T, D) by buckets
      -> encoder (B, T, H) -> pooler (B, H), for decoders that label documents -> decoder

Embeddings are computed once for all documents of a call and buckets gather from those tables. In
training their gradients are summed before the embeddings' own backward pass, which runs once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from rnnpipe.contracts.schemes import SCHEMES
from rnnpipe.contracts.types import (
    Decoder,
    DecoderBuilder,
    DocNodes,
    DocStructure,
    Embedding,
    EmbeddingBuilder,
    EncoderBuilder,
    Features,
    GraphEncoderBuilder,
    Labels,
    PoolerBuilder,
)
from rnnpipe.layers.dropout import Dropout
from rnnpipe.layers.precision import backpropagate
from rnnpipe.models.labelling.annotated import AnnotatedDoc
from rnnpipe.models.labelling.batching import Batch, Bucket, Limits, make_batch
from rnnpipe.models.labelling.network_fit import require_fit, require_structure
from rnnpipe.models.labelling.word_cache import WordCache
from rnnpipe.parts.embeddings.builder import require_items
from rnnpipe.structures import Encoded, Sequences, Structure

T = TypeVar("T")
#: Reads a bucket's answers off the device: (decoder, its input, lengths) to one result a document.
Reader = Callable[[Any, Encoded | Tensor, np.ndarray], list[T]]


@dataclass(frozen=True)
class NetworkBuilder:
    """The settings of a network. Sizes that depend on the data are measured once and stored as
    facts (JSON), from which the same network is rebuilt before its weights are loaded."""

    embedding: EmbeddingBuilder
    encoder: EncoderBuilder
    decoder: DecoderBuilder
    pooler: PoolerBuilder | None = None
    structure: DocStructure | None = None
    dropout: float | None = None
    limits: Limits = field(default_factory=Limits)

    def measure(self, counts: Mapping[str, int], vocab: Any, labels: Labels) -> dict[str, Any]:
        facts = [part.measure(counts, vocab) for part in self.embedding.parts()]
        return {"embeddings": facts, **label_facts(labels)}

    def build(self, facts: dict[str, Any]) -> Network:
        parts = zip(self.embedding.parts(), facts["embeddings"], strict=True)
        embeddings = [part.build(part_facts) for part, part_facts in parts]
        scheme = SCHEMES[facts["scheme"]] if facts["scheme"] else None
        return Network(embeddings, self, Labels(tuple(facts["labels"]), scheme))

    def sized_encoder(self) -> EncoderBuilder:
        """Return the encoder's builder, with the number of edge types if it distinguishes them."""
        if isinstance(self.encoder, GraphEncoderBuilder) and self.structure is not None:
            return self.encoder.typed(self.structure.n_types)
        return self.encoder


def label_facts(labels: Labels) -> dict[str, Any]:
    """Return the facts of the labels, as JSON."""
    return {
        "labels": list(labels.names),
        "scheme": labels.scheme.name if labels.scheme is not None else None,
    }


@dataclass
class _Table:
    """Vectors that buckets gather from. ``vectors``: ``(1 + rows, D)``; row 0 is the zero vector of
    padding. ``row_of``: ``(1 + N,)`` the row of each token, counted from 1."""

    vectors: Tensor
    row_of: np.ndarray


class Network(nn.Module):
    """A network with known sizes. The module's docstring shows the flow of the data."""

    def __init__(
        self, embeddings: Sequence[Embedding], builder: NetworkBuilder, labels: Labels
    ) -> None:
        super().__init__()
        self.lexical = nn.ModuleList(cast(nn.Module, e) for e in embeddings if e.lexical)
        self.contextual = nn.ModuleList(cast(nn.Module, e) for e in embeddings if not e.lexical)
        parts = zip(builder.embedding.parts(), embeddings, strict=True)
        self._fed = [part.upstream is not None for part, e in parts if not e.lexical]
        self.limits = builder.limits
        self.labels = labels
        self.dropout = Dropout(builder.dropout)
        require_items(embeddings, builder.structure)
        encoder = builder.sized_encoder()(sum(e.n_out for e in embeddings))
        require_structure(encoder, builder.structure)
        self.structure = builder.structure
        self.encoder = cast(nn.Module, encoder)
        pooler = builder.pooler(encoder.n_out) if builder.pooler is not None else None
        self.pooler = cast("nn.Module | None", pooler)
        n_in = encoder.n_out if pooler is None else pooler.n_out
        decoder = builder.decoder(n_in, labels)
        require_fit(decoder, pooled=pooler is not None)
        self.decoder = cast(nn.Module, decoder)
        self.cache = WordCache()

    def initialize(self, vocab: Any) -> None:
        """Fill the weights with an external source, such as word vectors."""
        for embedding in [*self.lexical, *self.contextual]:
            embedding.initialize(vocab)

    # -- training ------------------------------------------------------------------------------

    def accumulate_gradients(
        self, items: Sequence[AnnotatedDoc], scale: float = 1.0, *upstream: Tensor
    ) -> Tensor:
        """Add ``scale`` times the gradient of the loss to the parameters' gradients, unless
        gradients are off. Return the summed loss in nats, shape ``()``.

        upstream: for each contextual embedding fed from outside, ``(N, width)``; a leaf that
            requires a gradient gets one.
        """
        device = self._device()
        batch = make_batch([item.doc for item in items], self.limits, self.structure)
        tables = [*self._lexical_table(batch), *self._contextual_table(batch, upstream)]
        leaves = [
            replace(t, vectors=t.vectors.detach().requires_grad_(t.vectors.requires_grad))
            for t in tables
        ]
        total = torch.zeros((), device=device)
        for bucket in batch.buckets:
            x = self._read(self._encode(bucket, leaves))
            gold = pad_golds([items[i].gold for i in bucket.documents]).to(device)
            loss = cast(Decoder, self.decoder).loss(x, gold)
            backpropagate(loss.float() * scale)
            total = total + loss.detach()
        grown = [
            (t.vectors, leaf.vectors.grad)
            for t, leaf in zip(tables, leaves, strict=True)
            if leaf.vectors.grad is not None
        ]
        if grown:
            torch.autograd.backward([v for v, _ in grown], [g for _, g in grown])
        return total

    # -- prediction ----------------------------------------------------------------------------

    def answers(
        self,
        batch: Batch,
        reader: Reader[T],
        upstream: Sequence[Tensor] = (),
        weights_version: int | None = None,
    ) -> list[T]:
        """Return the results of ``reader`` for the documents, in the order of the call.

        weights_version: changes whenever the weights do; word vectors are cached across calls under
            it. ``None``: no cache.
        """
        tables = [
            *self._lexical_table(batch, weights_version),
            *self._contextual_table(batch, upstream),
        ]
        results: dict[int, T] = {}
        for bucket in batch.buckets:
            x = self._read(self._encode(bucket, tables))
            answers = reader(self.decoder, x, bucket.lengths)
            results.update(zip(bucket.documents.tolist(), answers, strict=True))
        return [results[i] for i in range(len(batch.docs))]

    def vectors(self, batch: Batch, upstream: Sequence[Tensor] = ()) -> Tensor:
        """Return the encoder's input for every token of a call, ``(N, D)``, document by
        document."""
        tables = [*self._lexical_table(batch), *self._contextual_table(batch, upstream)]
        rows = [torch.from_numpy(t.row_of[1:]).to(self._device()) for t in tables]
        return _side_by_side(
            [t.vectors.index_select(0, row) for t, row in zip(tables, rows, strict=True)]
        )

    # -- parts ---------------------------------------------------------------------------------

    def _device(self) -> torch.device:
        return next(self.parameters()).device

    def embed_words(self, words: Any) -> Tensor:
        """Concatenate the lexical embeddings of distinct words, ``(U, D)``."""
        return _side_by_side([self._embed(e, words) for e in self.lexical])

    def _embed(self, embedding: nn.Module, items: Any) -> Tensor:
        features = cast(Any, embedding).featurize(items)
        return cast(Tensor, embedding(to_device(features, self._device())))

    def _lexical_table(self, batch: Batch, weights_version: int | None = None) -> list[_Table]:
        if not self.lexical:
            return []
        if not len(batch.words):
            width = sum(cast(int, e.n_out) for e in self.lexical)
            return [_Table(torch.zeros(1, width, device=self._device()), np.zeros(1, np.int64))]
        if weights_version is None:
            table = _under_padding(self.embed_words(batch.words))
            rows = np.arange(1, len(batch.words) + 1)
        else:
            table, rows = self.cache.look_up(batch, weights_version, self.embed_words)
        return [_Table(table, np.concatenate([[0], rows[batch.word_of]]))]

    def _contextual_table(self, batch: Batch, upstream: Sequence[Tensor]) -> list[_Table]:
        if not self.contextual:
            return []
        feed = iter(upstream)
        vectors = [
            embedding({"upstream": next(feed)}) if fed else self._embed(embedding, batch.docs)
            for embedding, fed in zip(self.contextual, self._fed, strict=True)
        ]
        n_items = int(batch.lengths.sum())
        return [_Table(_under_padding(_side_by_side(vectors)), np.arange(n_items + 1))]

    def _encode(self, bucket: Bucket, tables: Sequence[_Table]) -> Encoded:
        """Encode a bucket's documents: all nodes for a pooler, the labelled ones for a decoder."""
        if bucket.stitch is not None:
            return self._encode_windows(bucket, bucket.stitch, tables)
        structure: Structure = (
            Sequences.of(bucket.lengths.tolist(), self._device())
            if self.structure is None or bucket.nodes is None
            else self.structure.build(bucket.nodes, self._device())
        )
        encoded = self.encoder(self._inputs(bucket.tokens, tables), structure)
        states = self.dropout(encoded.states)
        if bucket.nodes is None or self.pooler is not None:
            return Encoded(states, structure, encoded.n_forward)
        return Encoded(*_labelled(states, bucket.nodes), encoded.n_forward)

    def _encode_windows(
        self, bucket: Bucket, stitch: np.ndarray, tables: Sequence[_Table]
    ) -> Encoded:
        """Encode one long document and stitch its windows together."""
        per_step = max(1, self.limits.max_padded_tokens // bucket.tokens.shape[1])
        pieces = []
        for begin in range(0, len(bucket.tokens), per_step):
            rows = slice(begin, begin + per_step)
            piece = (bucket.tokens[rows], bucket.row_lengths[rows], tables)
            if torch.is_grad_enabled() and len(bucket.tokens) > per_step:
                # Recomputed in the backward pass: memory is bounded however long the document is.
                states, n_forward = checkpoint(self._encode_rows, *piece, use_reentrant=False)
            else:
                states, n_forward = self._encode_rows(*piece)
            pieces.append(states)
        flat = torch.cat(pieces).flatten(0, 1)  # (R * T, H)
        chosen = flat.index_select(0, torch.from_numpy(stitch).to(flat.device)).unsqueeze(0)
        structure = Sequences.of(bucket.lengths.tolist(), self._device())
        return Encoded(chosen, structure, n_forward)

    def _encode_rows(
        self, tokens: np.ndarray, lengths: np.ndarray, tables: Sequence[_Table]
    ) -> tuple[Tensor, int]:
        structure = Sequences.of(lengths.tolist(), self._device())
        inputs = self._inputs(tokens[:, : structure.size], tables)
        encoded = self.encoder(inputs, structure)
        beyond = tokens.shape[1] - structure.size
        states = nn.functional.pad(encoded.states, (0, 0, 0, beyond))
        return self.dropout(states), encoded.n_forward

    def _inputs(self, tokens: np.ndarray, tables: Sequence[_Table]) -> Tensor:
        """Return the encoder's inputs, ``(B, T, D)``."""
        rows = [torch.from_numpy(t.row_of[tokens]).to(self._device()) for t in tables]
        vectors = [nn.functional.embedding(i, t.vectors) for i, t in zip(rows, tables, strict=True)]
        return cast(Tensor, self.dropout(_side_by_side(vectors)))

    def _read(self, encoded: Encoded) -> Encoded | Tensor:
        return encoded if self.pooler is None else self.pooler(encoded)


def to_device(features: Features, device: torch.device) -> dict[str, Tensor]:
    """Copy numpy features to the device. ``uint64`` hashes become int64 of the same bits."""
    return {
        name: torch.from_numpy(a.view(np.int64) if a.dtype == np.uint64 else a).to(device)
        for name, a in features.items()
    }


def pad_golds(golds: Sequence[np.ndarray]) -> Tensor:
    """Stack the gold annotations of documents; ids are padded with -1, masks with true
    (unknown)."""
    first = golds[0]
    shapes = {g.shape for g in golds}
    if len(shapes) == 1:
        return torch.from_numpy(np.stack(list(golds)))
    size = max(len(g) for g in golds)
    fill: Any = True if first.dtype == np.bool_ else -1
    padded = np.full((len(golds), size, *first.shape[1:]), fill, dtype=first.dtype)
    for row, gold in zip(padded, golds, strict=True):
        row[: len(gold)] = gold
    return torch.from_numpy(padded)


def with_labels(network: Network, builder: NetworkBuilder, facts: dict[str, Any]) -> Network:
    """Build a network for the labels in ``facts`` with the weights of ``network``.

    Weights along label axes are copied by the label's name. Those of new labels are freshly
    initialised.
    """
    grown = builder.build(facts)
    old_names, new_names = network.labels.names, grown.labels.names
    kept = [name for name in old_names if name in set(new_names)]
    source = torch.tensor([old_names.index(name) for name in kept], dtype=torch.int64)
    target = torch.tensor([new_names.index(name) for name in kept], dtype=torch.int64)
    axes = {f"decoder.{k}": v for k, v in cast(Any, network.decoder).label_axes.items()}
    old, new = network.state_dict(), grown.state_dict()
    with torch.no_grad():
        for name, weights in new.items():
            weights.copy_(_relabelled(old[name], weights, axes.get(name, ()), source, target))
    return grown.to(network._device())


def _relabelled(
    old: Tensor, new: Tensor, axes: tuple[int, ...], source: Tensor, target: Tensor
) -> Tensor:
    if not axes:
        return old
    index_old = [torch.arange(n) for n in old.shape]
    index_new = [torch.arange(n) for n in new.shape]
    for axis in axes:
        index_old[axis], index_new[axis] = source, target
    merged = new.clone()
    merged[torch.meshgrid(*index_new, indexing="ij")] = old.cpu()[
        torch.meshgrid(*index_old, indexing="ij")
    ].to(merged.dtype)
    return merged


def _labelled(states: Tensor, nodes: Sequence[DocNodes]) -> tuple[Tensor, Sequences]:
    """Select the states of the nodes that a decoder labels, as sequences."""
    structure = Sequences.of([len(n.labelled) for n in nodes], states.device)
    index = np.zeros((len(nodes), structure.size), dtype=np.int64)
    for i, n in enumerate(nodes):
        index[i, : len(n.labelled)] = n.labelled + i * states.shape[1]
    rows = torch.from_numpy(index).to(states.device)
    chosen = states.flatten(0, 1).index_select(0, rows.flatten())
    return structure.blank(chosen.view(*rows.shape, states.shape[2])), structure  # (B, M, H)


def _side_by_side(vectors: Sequence[Tensor]) -> Tensor:
    return vectors[0] if len(vectors) == 1 else torch.cat(list(vectors), dim=-1)


def _under_padding(vectors: Tensor) -> Tensor:
    """Prepend the zero vector of padding, ``(N, D) -> (1 + N, D)``."""
    return torch.cat([vectors.new_zeros(1, vectors.shape[1]), vectors])
