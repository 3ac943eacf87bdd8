"""Embeddings, encoders, poolers and decoders that label: what each is given and gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from rnnpipe.structures import Encoded, State, Structure, Trees

if TYPE_CHECKING:
    from rnnpipe.contracts.schemes import Scheme

#: Gold annotations. Per node: ``(B, T)`` int64 label ids, -1 where the label is missing, or
#: ``(B, T, L)`` bool, true for every label that is still possible. Per document: ``(B,)`` int64 or
#: ``(B, L)`` float truths in [0, 1], NaN where missing.
Gold: TypeAlias = Tensor


@dataclass(frozen=True)
class Labels:
    """The names of a decoder's classes, in the order of their ids, and the scheme that binds them.

    scheme: the tagging scheme (BIO, BIOES, ...) that says which tag may follow which, or ``None``
        where any label may follow any other.
    """

    names: tuple[str, ...]
    scheme: Scheme | None = None

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Prediction:
    """ids: ``(B, T)`` or ``(B,)`` int64, the best label of each node or document, 0 at padding.
    probabilities: ``(B, T, L)`` or ``(B, L)``, or ``None`` where they cost extra."""

    ids: Tensor
    probabilities: Tensor | None = None


@runtime_checkable
class Encoder(Protocol):
    """Node vectors to node states. ``inputs`` are ``(B, T, n_in)``, zeros at padding."""

    n_out: int
    causal: bool
    structure: type

    def __call__(
        self, inputs: Tensor, structure: Structure, state: State | None = None
    ) -> Encoded: ...


@runtime_checkable
class Stepper(Protocol):
    """What samplers, beams and streams need; every causal encoder has it."""

    def start(self, batch_size: int) -> State:
        """Return the state before the first node."""
        ...

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One node: ``x`` ``(B, n_in)`` to ``(B, n_out)`` and the state after it."""
        ...

    def reorder(self, state: State, rows: Tensor) -> State:
        """Return the state whose row i is the given state's row ``rows[i]``."""
        ...


@runtime_checkable
class Layered(Protocol):
    """What an encoder of several layers may have, for those who want more than the top one."""

    def encode_layers(
        self, inputs: Tensor, structure: Structure, state: State | None = None
    ) -> list[Encoded]:
        """What each layer makes of the nodes, the lowest first; the last is what the encoder gives
        when it is called. Each holds the state of all layers to go on from."""
        ...


@runtime_checkable
class Composer(Encoder, Protocol):
    """An encoder of trees that also makes one node of two, for those that build the trees. The
    state of a node, ``(S,)``, may hold more than ``n_out`` features, of which these come first."""

    def leaf_states(self, inputs: Tensor) -> Tensor:
        """Nodes without children. ``(n, n_in) -> (n, S)``."""
        ...

    def join(self, left: Tensor, right: Tensor) -> Tensor:
        """Nodes of two children and without a word. ``(n, S)`` twice to ``(n, S)``."""
        ...

    def node_states(self, inputs: Tensor, structure: Trees) -> Tensor:
        """Return all nodes of given trees, in the order of their computation.
        ``(N, n_in) -> (N, S)``."""
        ...


class Pooler(Protocol):
    """Node states to one vector a document, ``(B, n_out)``; zeros for an empty document."""

    n_out: int

    def __call__(self, encoded: Encoded) -> Tensor: ...


class Decoder(Protocol):
    """States to labels. ``x`` is an :class:`Encoded` (one label a node) or ``(B, H)`` pooled.

    labels_nodes, labels_documents: whether it takes the one, and the other.
    exclusive: whether there is one label a node (document), or each label is true or not by itself.
    """

    labels_nodes: bool
    labels_documents: bool
    exclusive: bool
    #: Which axes of which parameters run over the labels: ``{"output.weight": (0,)}``. It lets a
    #: network be given more labels without losing what it knows.
    label_axes: Mapping[str, tuple[int, ...]]

    def loss(self, x: Encoded | Tensor, gold: Gold) -> Tensor:
        """Return the *sum* of the losses in nats over all labelled nodes (documents), shape ``()``.
        A sum, so that a batch's loss is that of its parts added up, however it is split."""
        ...

    def predict(self, x: Encoded | Tensor) -> Prediction: ...


@runtime_checkable
class TreeDecoder(Decoder, Protocol):
    """A decoder that joins a document's nodes to a binary tree. It labels neither the nodes that it
    is given nor documents; gold annotations are constituents ``(B, M, 3)``, and predictions all
    nodes of the trees ``(B, N, 3)``: first token, end and class of each, -1 at padding."""

    builds_trees: bool


@dataclass(frozen=True)
class Words:
    """Distinct words, as attribute columns: what a lexical embedding looks at.

    orth, norm, prefix, suffix, shape: ``(U,)`` uint64 string hashes.
    vocab: the vocabulary they come from: ``vocab.strings[hash]`` is the string, ``vocab.vectors``
        the word vectors.
    """

    orth: np.ndarray
    norm: np.ndarray
    prefix: np.ndarray
    suffix: np.ndarray
    shape: np.ndarray
    vocab: Any

    def __len__(self) -> int:
        return len(self.orth)

    def texts(self) -> list[str]:
        strings = self.vocab.strings
        return [strings[int(key)] for key in self.orth]


#: Numpy arrays by name, each with one row a word (lexical) or token, or plain extras; they are
#: copied to the device in one go and handed to ``forward`` as tensors of the same names.
Features: TypeAlias = dict[str, np.ndarray]


class Embedding(Protocol):
    """Words or tokens to vectors ``(N, n_out)``; padding and batching are the network's business.
    One that reads something else than a document's words says what as ``items``: see
    :func:`items_of`.

    lexical: true if a word's vector depends on its :class:`Words` attributes alone. Such an
        embedding is computed once a distinct word of a batch and cached at prediction; its
        ``featurize`` is given :class:`Words`. Otherwise ``featurize`` is given the documents and
        returns one row a token (or other item), documents one after the other.
    """

    n_out: int
    lexical: bool

    def featurize(self, items: Any) -> Features: ...

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor: ...

    def initialize(self, vocab: Any) -> None:
        """Fill weights that come from elsewhere (word vectors). Called once, before training."""
        ...


@runtime_checkable
class EmbeddingBuilder(Protocol):
    """What a registered embedding function returns.

    upstream: a thinc layer from documents to token vectors whose output the embedding reads
        (``features["upstream"]``, ``(N, width)``, gradients flow back), or ``None``.
    """

    @property
    def upstream(self) -> Any: ...

    def measure(self, counts: Mapping[str, int], vocab: Any) -> dict[str, Any]:
        """What the data decides (a vocabulary, a width), as JSON. ``counts``: the words of the
        training documents and how often each occurs."""
        ...

    def build(self, facts: dict[str, Any]) -> Embedding:
        """Return the embedding for these facts. Weights are random or loaded afterwards."""
        ...

    def parts(self) -> Sequence[EmbeddingBuilder]:
        """Return the builders that this one concatenates; ``[self]`` for a single embedding."""
        ...


@runtime_checkable
class EncoderBuilder(Protocol):
    def __call__(self, n_in: int) -> Encoder: ...


@runtime_checkable
class GraphEncoderBuilder(EncoderBuilder, Protocol):
    """Builds encoders that tell edges apart by their types."""

    def typed(self, n_types: int) -> EncoderBuilder:
        """Return the builder for graphs with so many types of edges; otherwise there is one."""
        ...


@runtime_checkable
class PoolerBuilder(Protocol):
    def __call__(self, n_in: int) -> Pooler: ...


@runtime_checkable
class DecoderBuilder(Protocol):
    def __call__(self, n_in: int, labels: Labels) -> Decoder: ...


@dataclass(frozen=True)
class DocNodes:
    """The nodes of one document's structure, on the host, in the order of the structure.

    tokens: ``(n,)`` int64, the token (or other item) whose vector a node is given; -1 for a node
        without a word, which is given zeros.
    links: what joins them, as the structure wants it; for trees ``(n,)``, each node's parent; for
        graphs ``(e, 3)``, for each edge the node that it leaves, the one it leads to, and its type.
    labelled: ``(m,)`` int64, the node of each token, or of each span of the span group: what a
        decoder that labels nodes is given, in this order.
    mentions: of marked groups of nodes, the nodes of each.
    n_items: how many vectors embeddings have for the document; ``None``: one a token.
    """

    tokens: np.ndarray
    links: np.ndarray
    labelled: np.ndarray
    mentions: tuple[np.ndarray, ...] = ()
    n_items: int | None = None


@runtime_checkable
class DocStructure(Protocol):
    """What a registered function of structures returns: how documents are read as one. One whose
    nodes are not made of a document's words says of what as ``items``: see :func:`items_of`.

    structure: the class of structures that it builds.
    spans_key: decoders of nodes label the spans of this group, in the order of the group; ``None``:
        they label the tokens.
    n_types: how many types of edges there are; 0 where edges have no types.
    """

    @property
    def structure(self) -> type: ...

    @property
    def spans_key(self) -> str | None: ...

    @property
    def n_types(self) -> int: ...

    def read(self, doc: DocLike) -> DocNodes:
        """Raises StructureError, with the beginning of the document, if it does not have what the
        structure is made of, or has it wrong."""
        ...

    def build(self, nodes: Sequence[DocNodes], device: torch.device) -> Structure:
        """Return the structure of several documents."""
        ...


def items_of(part: Embedding | DocStructure | None) -> str:
    """What an embedding gives a vector each of, and a structure makes nodes of: ``"tokens"``, or
    what the part says, such as ``"pixels"``. The two must agree."""
    return cast(str, getattr(part, "items", "tokens"))


@runtime_checkable
class DocEdges(Protocol):
    """What a registered function of edges returns: which tokens of a document edges join.

    types: the names of the edges' types, in the order of their numbers.
    """

    @property
    def types(self) -> Sequence[str]: ...

    def read(self, doc: DocLike) -> np.ndarray:
        """``(e, 3)`` int64: for each edge the token that it leaves, the token that it leads to, and
        the number of its type. Raises StructureError, with the beginning of the document, if it
        does not have what the edges are made of."""
        ...


class DocLike(Protocol):
    """The part of a spaCy ``Doc`` that networks use, so that they need not import spaCy."""

    vocab: Any

    @property
    def text(self) -> str: ...

    def __len__(self) -> int: ...

    def to_array(self, py_attr_ids: Any) -> np.ndarray: ...
