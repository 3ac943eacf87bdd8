"""Symbols one after the other: what models, decoders and filters that write text agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
from torch import Tensor

from rnnpipe.contracts.types.parts import DocLike
from rnnpipe.contracts.types.reading import ScoringModel, Text
from rnnpipe.contracts.types.settings import NonNegativeInt
from rnnpipe.structures import State


@runtime_checkable
class NextSymbol(Protocol):
    """A language model, or what decodes in a sequence-to-sequence model: one symbol at a time."""

    def begin(self, batch_size: int) -> State:
        """Return the state before the first symbol."""
        ...

    def advance(self, symbols: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one symbol a row, ``(B,)`` int64: the logits or log-probabilities of the next,
        ``(B, V)``, and the state after it."""
        ...

    def reorder(self, state: State, rows: Tensor) -> State:
        """Return the state whose row i is the given state's row ``rows[i]``; rows may be repeated
        and left out."""
        ...


@runtime_checkable
class Covering(NextSymbol, Protocol):
    """A model with attention, which knows how much of its source has been attended to."""

    def coverage(self, state: State) -> Tensor:
        """``(B,)``: ``sum_j log min(1, sum_t a[t, j])`` over the source's nodes j, where ``a[t]``
        is the attention that symbol t was chosen by; at most 0 (Wu et al. 2016)."""
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
        """Return the texts of each prompt, the best first where they are ranked.

        symbols: ``(B,)`` int64, the last symbol of each prompt, or the one that begins a text.
        state: the model's state before that symbol; ``None``: ``model.begin(B)``.
        """
        ...


@runtime_checkable
class StreamingGenerator(SequenceGenerator, Protocol):
    """One that need not know the end of a text to tell its beginning.

    n_samples: how many texts a prompt.
    """

    n_samples: int

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
        """Return the unknown symbols of a text."""
        ...

    def pieces(self, doc: DocLike) -> list[str]:
        """Return the text of each symbol of :meth:`read`, also of those that are unknown."""
        ...

    def writer(self) -> Callable[[int], str]:
        """Return a function from each symbol of a text, in order, to the text that it adds."""
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
        """``(N,)`` the log-probability of each target symbol in nats; in training it may be an
        estimate. ``x``: ``(N, n_in)``. targets: ``(N,)`` int64, on the host, so that no shape
        depends on the device's data."""
        ...

    def log_probabilities(self, x: Tensor) -> Tensor:
        """``(N, n_in) -> (N, V)`` in nats."""
        ...


@runtime_checkable
class OutputBuilder(Protocol):
    def __call__(self, n_in: int, embedding: Tensor) -> Output:
        """embedding: the weight ``(V, D)`` of the model's own embedding of its V symbols."""
        ...


class Attention(Protocol):
    """How well the nodes of a source answer the states of a decoder; a ``torch.nn.Module``."""

    def keys(self, states: Tensor) -> Tensor:
        """What of the source's states ``(B, S, n_memory)`` is the same at every step:
        ``(B, S, K)``."""
        ...

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """``(B, T, n_query)`` and ``(B, S, K)`` to ``(B, T, S)``, the greater the better. Padding
        is none of its business."""
        ...


@runtime_checkable
class AttentionBuilder(Protocol):
    def __call__(self, n_query: int, n_memory: int) -> Attention: ...


@runtime_checkable
class Adaptation(Protocol):
    """How a language model follows a document while it is scored. It holds settings only, leaves
    the model as it is, and begins every document afresh."""

    def log_likelihoods(self, model: ScoringModel, text: Text) -> np.ndarray:
        """Return the log-probability of every target of a text, given all before it, ``(N,)``
        float32, in nats."""
        ...
