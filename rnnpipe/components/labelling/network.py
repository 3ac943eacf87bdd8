"""``rnnpipe.Network.v1``: a network of this package as the model of a spaCy component."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import Model, get_current_ops
from thinc.types import Floats2d
from thinc.util import torch2xp, xp2torch
from torch import Tensor

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
from rnnpipe.shim.torch_shim import TorchShim

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
    """Embedding, encoder, pooler and decoder in a row, trained as one torch module.

    pooler: needed by components that label whole documents, refused by those that label tokens.
    structure: what the encoder reads the documents as; unset, their tokens in a row.
    dropout: on the encoder's inputs and outputs; unset, the rate of ``[training] dropout``.
    precision: ``"bfloat16"`` computes matrix products in bfloat16 and keeps float32 weights.
    max_length, overlap: documents with more tokens are cut into windows of ``max_length`` tokens,
        ``overlap`` of which neighbours share, or at sentence boundaries where they are set; not
        those that are read as another structure, which are never cut.
    max_padded_tokens: the most token positions computed at once; bounds the memory.
    RAISES: SettingsError if ``overlap`` is not smaller than ``max_length``.
    """
    if overlap >= max_length:
        raise SettingsError(
            f"overlap: expected fewer tokens than max_length ({max_length}), got {overlap}. "
            "Windows must move on; set overlap to about an eighth of max_length."
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
    return Model(
        "rnnpipe_network",
        _forward,
        init=_initialize,
        layers=upstream,
        shims=[TorchShim(None, build=builder.build, facts=None, precision=precision)],
        attrs={"dropout_rate": 0.0, "builder": builder},
    )


def network_shim(model: Model[Any, Any]) -> TorchShim:
    return cast(TorchShim, model.shims[0])


def is_initialized(model: Model[Any, Any]) -> bool:
    return network_shim(model).facts is not None


def network_builder(model: Model[Any, Any]) -> NetworkBuilder:
    return cast(NetworkBuilder, model.attrs["builder"])


class Run:
    """A training pass over documents: ready to run once their gold annotations are known."""

    def __init__(self, model: Model[Any, Any], docs: Sequence[Doc]) -> None:
        self._model = model
        builder = network_builder(model)
        self._batch = make_batch(docs, builder.limits, builder.structure)
        # Upstream layers see all documents at once and in order: a listener insists on it.
        self._calls = [layer.begin_update(docs) for layer in model.layers]

    def backward(self, golds: Sequence[np.ndarray], scale: float) -> tuple[float, list[Any]]:
        """Add up the parameters' gradients. Returns the loss in nats, and the upstream gradients
        for :meth:`backprop`."""
        shim = network_shim(self._model)
        inputs = [_leaf(vectors, shim.device) for vectors, _ in self._calls]
        with shim.training(self._model.attrs["dropout_rate"]) as module:
            network = cast(TorchNetwork, module)
            loss = network.accumulate_gradients(self._batch, golds, inputs, scale)
        return float(loss), [_split_gradient(x, self._batch) for x in inputs]

    def backprop(self, gradients: list[Any]) -> list[Any]:
        """Hand the upstream gradients to the upstream layers."""
        for (_, callback), gradient in zip(self._calls, gradients, strict=True):
            callback(gradient)
        return []


def answers(model: Model[Any, Any], docs: Sequence[Doc], reader: Reader[T]) -> list[T]:
    """Run the network over documents without training; see :meth:`TorchNetwork.answers`."""
    shim = network_shim(model)
    batch, inputs = _given(model, docs)
    with shim.evaluation() as module:
        network = cast(TorchNetwork, module)
        return network.answers(batch, reader, inputs, shim.weights_version)


def token_vectors(model: Model[Any, Any], docs: Sequence[Doc]) -> Tensor:
    """What a network's encoder is given; see :meth:`TorchNetwork.vectors`."""
    batch, inputs = _given(model, docs)
    with network_shim(model).evaluation() as module:
        return cast(TorchNetwork, module).vectors(batch, inputs)


def _given(model: Model[Any, Any], docs: Sequence[Doc]) -> tuple[Batch, list[Tensor]]:
    """What a network is given at prediction: a batch, and the vectors of upstream layers."""
    builder, device = network_builder(model), network_shim(model).device
    batch = make_batch(docs, builder.limits, builder.structure)
    return batch, [_join(layer.predict(docs), device) for layer in model.layers]


def read_states(decoder: Any, x: Any, lengths: np.ndarray) -> list[np.ndarray]:
    """The best label ids of each document: what ``model.predict(docs)`` returns."""
    ids = decoder.predict(x).ids.cpu().numpy()
    return [row[:n] if ids.ndim == 2 else row for row, n in zip(ids, lengths, strict=True)]


def _forward(
    model: Model[Any, Any], docs: Sequence[Doc], is_train: bool
) -> tuple[Any, Callable[[Any], list[Any]]]:
    if is_train:
        run = Run(model, docs)
        return run, run.backprop
    return answers(model, docs, read_states), lambda _: []


def _initialize(
    model: Model[Any, Any], X: Sequence[Doc] | None = None, Y: Labels | None = None
) -> None:
    """``X``: all training documents. ``Y``: the labels. Nothing happens while either is missing."""
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
    """Give a network other labels, keeping all it knows of those that stay."""
    shim = network_shim(model)
    facts = {**cast(dict[str, Any], shim.facts), **label_facts(labels)}
    grown = with_labels(cast(TorchNetwork, shim.module), network_builder(model), facts)
    shim.set_module(grown, facts)


def count_words(docs: Iterable[Doc]) -> Counter[str]:
    """How often each word form occurs."""
    columns = [doc.to_array("ORTH") for doc in docs if len(doc)]
    if not columns:
        return Counter()
    strings = next(iter(docs)).vocab.strings
    keys, counts = np.unique(np.concatenate(columns), return_counts=True)
    return Counter({strings[int(k)]: int(n) for k, n in zip(keys, counts, strict=True)})


def _join(vectors: Sequence[Floats2d], device: torch.device) -> Tensor:
    xp = get_current_ops().xp
    return xp2torch(xp.concatenate(list(vectors)), device=device)


def _leaf(vectors: Sequence[Floats2d], device: torch.device) -> Tensor:
    return _join(vectors, device).requires_grad_()


def _split_gradient(x: Tensor, batch: Batch) -> list[Floats2d]:
    gradient = cast(Floats2d, torch2xp(x.grad if x.grad is not None else torch.zeros_like(x)))
    ends = np.cumsum(batch.lengths)
    return [gradient[end - n : end] for end, n in zip(ends, batch.lengths, strict=True)]
