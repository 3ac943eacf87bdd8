"""``rnnpipe.Network.v1``: a network of this package as the model of a spaCy component."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from torch import Tensor

from rnnpipe.components.network_model import network_model, network_shim
from rnnpipe.components.training_pass import upstream_vectors
from rnnpipe.contracts.settings import checked
from rnnpipe.contracts.types import (
    DecoderBuilder,
    DocStructure,
    DropoutRate,
    EmbeddingBuilder,
    EncoderBuilder,
    Labels,
    NonNegativeInt,
    PoolerBuilder,
    PositiveInt,
    Precision,
)
from rnnpipe.errors import SettingsError
from rnnpipe.models.labelling.batching import Batch, Limits, make_batch
from rnnpipe.models.labelling.network import Network as TorchNetwork
from rnnpipe.models.labelling.network import NetworkBuilder, Reader, label_facts, with_labels

T = TypeVar("T")


@checked("architectures", "rnnpipe.Network.v1")
def Network(
    embedding: EmbeddingBuilder,
    encoder: EncoderBuilder,
    decoder: DecoderBuilder,
    pooler: PoolerBuilder | None = None,
    structure: DocStructure | None = None,
    dropout: DropoutRate = None,
    precision: Precision = "float32",
    max_length: PositiveInt = 512,
    overlap: NonNegativeInt = 64,
    max_padded_tokens: PositiveInt = 8192,
) -> Model[Any, Any]:
    """A labelling network: embedding, encoder, pooler and decoder, trained as one torch module.

    pooler: required by components that label documents, rejected by those that label tokens.
    structure: structure of the documents that the encoder reads; if unset, the sequence of their
        tokens.
    dropout: dropout rate of the encoder's inputs and outputs; if unset, the rate of ``[training]
        dropout``.
    precision: ``"bfloat16"`` computes matrix products in bfloat16 and keeps float32 weights.
    max_length, overlap: documents of more than ``max_length`` tokens are split at sentence
        boundaries if they are set, otherwise into windows that share ``overlap`` tokens. Documents
        read as another structure are never split.
    max_padded_tokens: maximum number of token positions computed at once; bounds the memory.

    Raises:
        SettingsError: ``overlap`` is not smaller than ``max_length``.
    """
    if overlap >= max_length:
        raise SettingsError(
            f"overlap: expected fewer tokens than max_length ({max_length}), got {overlap}. "
            "Set overlap to about an eighth of max_length, so that windows advance."
        )
    builder = NetworkBuilder(
        embedding=embedding,
        encoder=encoder,
        decoder=decoder,
        pooler=pooler,
        structure=structure,
        dropout=dropout,
        limits=Limits(max_length, overlap, max_padded_tokens),
    )
    upstream = [part.upstream for part in embedding.parts() if part.upstream is not None]
    return network_model(
        "rnnpipe_network", builder, _predict, precision, init=_initialize, layers=upstream
    )


def network_builder(model: Model[Any, Any]) -> NetworkBuilder:
    return cast(NetworkBuilder, model.attrs["builder"])


def answers(model: Model[Any, Any], docs: Sequence[Doc], reader: Reader[T]) -> list[T]:
    """Run the network over documents without training; see :meth:`TorchNetwork.answers`."""
    shim = network_shim(model)
    batch, inputs = _batch(model, docs), upstream_vectors(model, docs)
    with shim.evaluation() as module:
        network = cast(TorchNetwork, module)
        return network.answers(batch, reader, inputs, shim.weights_version)


def token_vectors(model: Model[Any, Any], docs: Sequence[Doc]) -> Tensor:
    """Return the inputs of a network's encoder; see :meth:`TorchNetwork.vectors`."""
    batch, inputs = _batch(model, docs), upstream_vectors(model, docs)
    with network_shim(model).evaluation() as module:
        return cast(TorchNetwork, module).vectors(batch, inputs)


def _batch(model: Model[Any, Any], docs: Sequence[Doc]) -> Batch:
    builder = network_builder(model)
    return make_batch(docs, builder.limits, builder.structure)


def read_states(decoder: Any, x: Any, lengths: np.ndarray) -> list[np.ndarray]:
    """Return the best label ids of each document, for ``model.predict(docs)``."""
    ids = decoder.predict(x).ids.cpu().numpy()
    return [row[:n] if ids.ndim == 2 else row for row, n in zip(ids, lengths, strict=True)]


def _predict(model: Model[Any, Any], docs: Sequence[Doc]) -> list[np.ndarray]:
    return answers(model, docs, read_states)


def _initialize(
    model: Model[Any, Any], X: Sequence[Doc] | None = None, Y: Labels | None = None
) -> None:
    """Build the network from all training documents ``X`` and the labels ``Y``, if both are
    given."""
    for layer in model.layers:
        layer.initialize(X=X[:10] if X is not None else None)
    if X is None or Y is None:
        return
    builder, shim = network_builder(model), network_shim(model)
    vocab = X[0].vocab
    facts = builder.measure(count_words(X), vocab, Y)
    network = builder.build(facts)
    network.initialize(vocab)
    shim.set_module(network, facts)


def set_labels(model: Model[Any, Any], labels: Labels) -> None:
    """Change the labels of a network and keep all weights of those that remain."""
    shim = network_shim(model)
    facts = {**cast(dict[str, Any], shim.facts), **label_facts(labels)}
    grown = with_labels(cast(TorchNetwork, shim.module), network_builder(model), facts)
    shim.set_module(grown, facts)


def count_words(docs: Iterable[Doc]) -> Counter[str]:
    """Count the occurrences of each word form."""
    columns = [doc.to_array("ORTH") for doc in docs if len(doc)]
    if not columns:
        return Counter()
    strings = next(iter(docs)).vocab.strings
    keys, counts = np.unique(np.concatenate(columns), return_counts=True)
    return Counter({strings[int(k)]: int(n) for k, n in zip(keys, counts, strict=True)})
