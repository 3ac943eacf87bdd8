"""The contracts between the parts of a network, and the types of their settings.

Every part except the data is a ``torch.nn.Module``. A registered function takes plain settings and
returns a *builder*, which is called later with the sizes that only the data knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Protocol,
    TypeAlias,
    runtime_checkable,
)

import numpy as np
from pydantic import Field
from torch import Tensor

from rnnpipe.structures import Encoded, State, Structure

if TYPE_CHECKING:
    from rnnpipe.schemes import Scheme

PositiveInt = Annotated[int, Field(gt=0, strict=True)]
NonNegativeInt = Annotated[int, Field(ge=0, strict=True)]
Depth = Annotated[int, Field(ge=1, le=8, strict=True)]
PositiveFloat = Annotated[float, Field(gt=0)]
#: A share in [0, 1): a dropout rate of 1 would drop everything.
Probability = Annotated[float, Field(ge=0.0, lt=1.0)]
#: A share in (0, 1].
PositiveShare = Annotated[float, Field(gt=0.0, le=1.0)]
#: ``None``: the rate of the training loop (``[training] dropout``) applies.
DropoutRate: TypeAlias = Probability | None

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
        """The state before the first node."""
        ...

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One node: ``x`` ``(B, n_in)`` to ``(B, n_out)`` and the state after it."""
        ...

    def reorder(self, state: State, rows: Tensor) -> State:
        """The state whose row i is the given state's row ``rows[i]``."""
        ...


class Pooler(Protocol):
    """Node states to one vector a document, ``(B, n_out)``; zeros for an empty document."""

    n_out: int

    def __call__(self, encoded: Encoded) -> Tensor: ...


class Decoder(Protocol):
    """States to labels. ``x`` is an :class:`Encoded` (one label a node) or ``(B, H)`` pooled."""

    #: Which axes of which parameters run over the labels: ``{"output.weight": (0,)}``. It lets a
    #: network be given more labels without losing what it knows.
    label_axes: Mapping[str, tuple[int, ...]]

    def loss(self, x: Encoded | Tensor, gold: Gold) -> Tensor:
        """The *sum* of the losses in nats over all labelled nodes (documents), shape ``()``. A sum,
        so that a batch's loss is that of its parts added up, however it is split."""
        ...

    def predict(self, x: Encoded | Tensor) -> Prediction: ...


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

    lexical: true if a word's vector depends on its :class:`Words` attributes alone. Such an
        embedding is computed once a distinct word of a batch and cached at prediction; its
        ``featurize`` is given :class:`Words`. Otherwise ``featurize`` is given the documents and
        returns one row a token, documents one after the other.
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
        """The embedding for these facts. Weights are random or loaded afterwards."""
        ...

    def parts(self) -> Sequence[EmbeddingBuilder]:
        """The builders that this one concatenates; ``[self]`` for a single embedding."""
        ...


@runtime_checkable
class EncoderBuilder(Protocol):
    def __call__(self, n_in: int) -> Encoder: ...


@runtime_checkable
class PoolerBuilder(Protocol):
    def __call__(self, n_in: int) -> Pooler: ...


@runtime_checkable
class DecoderBuilder(Protocol):
    def __call__(self, n_in: int, labels: Labels) -> Decoder: ...


@runtime_checkable
class NextSymbol(Protocol):
    """A language model, or what decodes in a sequence-to-sequence model: one symbol at a time."""

    def begin(self, batch_size: int) -> State:
        """The state before the first symbol."""
        ...

    def advance(self, symbols: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one symbol a row, ``(B,)`` int64: the logits or log-probabilities of the next,
        ``(B, V)``, and the state after it."""
        ...

    def reorder(self, state: State, rows: Tensor) -> State:
        """The state whose row i is the given state's row ``rows[i]``; rows may be repeated and
        left out."""
        ...


class Alphabet(Protocol):
    """The symbols of a :class:`NextSymbol`: characters, bytes or words.

    size: V, how many there are.
    end: the one that ends a text, or ``None``.
    """

    @property
    def size(self) -> int: ...

    @property
    def end(self) -> int | None: ...

    def encode(self, text: str) -> Sequence[int]:
        """The symbols of a text. Raises SettingsError if it holds an unknown one."""
        ...


#: Symbols in a row, in a setting: their text, or their ids.
Phrase: TypeAlias = str | list[NonNegativeInt]

#: Why a text is over: the model's end symbol, a stop phrase, or the longest length.
Ending: TypeAlias = Literal["end", "stop", "length"]


@dataclass(frozen=True)
class Generated:
    """A generated text.

    symbols: its symbols, without the end symbol.
    log_probabilities: the model's, in nats, of each symbol given those before it, whatever the
        temperature and the filters; one more for the end symbol if that ended it.
    score: what its search ranked it by; a sampler's is :attr:`log_probability`.
    """

    symbols: list[int]
    log_probabilities: list[float]
    ended: Ending
    score: float

    @property
    def log_probability(self) -> float:
        """Of the whole text, in nats."""
        return sum(self.log_probabilities)


class Emission(NamedTuple):
    """One symbol of a stream: the next of sample number ``sample`` of prompt number ``prompt``.

    log_probability: the model's, in nats.
    ended: why this symbol is that sample's last, or ``None``. ``"end"``: it is the end symbol.
    """

    prompt: int
    sample: int
    symbol: int
    log_probability: float
    ended: Ending | None


@runtime_checkable
class SequenceGenerator(Protocol):
    """Texts from a :class:`NextSymbol`. It holds settings only: calls do not affect each other."""

    def generate(
        self, model: NextSymbol, symbols: Tensor, state: State = None
    ) -> list[list[Generated]]:
        """The texts of each prompt, the best first where they are ranked.

        symbols: ``(B,)`` int64, the last symbol of each prompt, or the one that begins a text.
        state: the model's state before that symbol; ``None``: ``model.begin(B)``.
        """
        ...


@runtime_checkable
class StreamingGenerator(SequenceGenerator, Protocol):
    """One that need not know the end of a text to tell its beginning."""

    def stream(
        self, model: NextSymbol, symbols: Tensor, state: State = None
    ) -> Iterator[Emission]: ...


@runtime_checkable
class SequenceGeneratorBuilder(Protocol):
    """What a registered decoder that generates returns; one that labels returns a
    :class:`DecoderBuilder`."""

    def generator(self, alphabet: Alphabet) -> SequenceGenerator: ...


class Filter(Protocol):
    """Changes how likely each symbol is to come next.

    log_probabilities: ``(..., V)``, of the next symbol, up to a constant; -inf: excluded.
    history: ``(..., t)`` int64, the symbols generated so far, without the prompt.

    Returns ``(..., V)``. A search also asks that no value rises and no excluded symbol returns.
    """

    def __call__(self, log_probabilities: Tensor, history: Tensor) -> Tensor: ...


@runtime_checkable
class FilterBuilder(Protocol):
    def __call__(self, alphabet: Alphabet) -> Filter: ...


class Symbols(Protocol):
    """What a language model counts as one symbol, and their numbers.

    Number 0 (:data:`BOUNDARY`) stands before the first symbol of a document, and after its last;
    1 (:data:`UNKNOWN`) for every symbol that has no number; then the most frequent come first.
    """

    def __len__(self) -> int: ...

    def read(self, doc: DocLike) -> np.ndarray:
        """``(N,)`` int64, the symbols of a document."""
        ...

    def owners(self, doc: DocLike) -> np.ndarray:
        """``(N,)`` int64, the token that each symbol of :meth:`read` belongs to."""
        ...

    def encode(self, text: str) -> np.ndarray:
        """``(N,)`` int64, the symbols of a text."""
        ...

    def unknown(self, text: str) -> list[str]:
        """The unknown symbols of a text."""
        ...

    def writer(self) -> Callable[[int], str]:
        """A function from each symbol of a text, in order, to the text that it adds."""
        ...


#: The symbol that begins and ends a document, and the one for all that are not known.
BOUNDARY, UNKNOWN = 0, 1


@runtime_checkable
class SymbolsBuilder(Protocol):
    """What a registered function of symbols returns."""

    def measure(self, docs: Iterable[DocLike]) -> dict[str, Any]:
        """What the training documents decide, as JSON."""
        ...

    def build(self, facts: dict[str, Any]) -> Symbols: ...


class Output(Protocol):
    """The last layer of a language model, a ``torch.nn.Module``: from states to symbols."""

    def score(self, x: Tensor, targets: np.ndarray) -> Tensor:
        """``(N,)`` the log-probability of each target symbol in nats. ``x``: ``(N, n_in)``.
        targets: ``(N,)`` int64, on the host, so that no shape depends on the device's data."""
        ...

    def log_probabilities(self, x: Tensor) -> Tensor:
        """``(N, n_in) -> (N, V)`` in nats."""
        ...


@runtime_checkable
class OutputBuilder(Protocol):
    def __call__(self, n_in: int, embedding: Tensor) -> Output:
        """embedding: the weight ``(V, D)`` of the model's own embedding of its V symbols."""
        ...


#: The type of matrix products; weights and sums stay float32.
Precision: TypeAlias = Literal["float32", "bfloat16"]


class DocLike(Protocol):
    """The part of a spaCy ``Doc`` that networks use, so that they need not import spaCy."""

    vocab: Any

    @property
    def text(self) -> str: ...

    def __len__(self) -> int: ...

    def to_array(self, py_attr_ids: Any) -> np.ndarray: ...
