"""A text as a language model reads it, and where it stands in a longer one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from torch import Tensor, nn

from rnnpipe.structures import Encoded, State

#: The key of a reference document's ``user_data`` under which a reader puts its :class:`Place`.
PLACE = "rnnpipe_place"


class Place(NamedTuple):
    """A chunk's place in one of several texts that are read side by side.

    stream: which text, from 0.
    begin, end: the chunk's first token and the one after its last, counted from the text's first.
        Its document has one token more at the front, the one before the chunk, unless begin is 0.
    backward: the text is read back to front. Tokens are counted from its last, and the one before
        the chunk stands at the document's end.
    """

    stream: int
    begin: int
    end: int
    backward: bool = False


@dataclass(frozen=True)
class Text:
    """inputs, targets: ``(N,)`` int64; symbol ``targets[i]`` follows on ``inputs[: i + 1]``.
    place: where the text stands in a longer one, or ``None`` if it is whole."""

    inputs: np.ndarray
    targets: np.ndarray
    place: Place | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def parts(self, size: int) -> Iterator[Text]:
        """Return the text in parts of this many symbols, the last of the rest."""
        for begin in range(0, len(self), size):
            part = slice(begin, begin + size)
            yield Text(self.inputs[part], self.targets[part])


class ScoringModel(Protocol):
    """What an adaptation knows of a language model, which is a torch module.

    max_length: the most symbols that are scored at once.
    """

    embedding: nn.Embedding
    encoder: nn.Module
    max_length: int

    def score(self, text: Text, state: State) -> tuple[Tensor, Encoded]:
        """Return the log-probabilities ``(N,)`` of the targets of a text of at most ``max_length``
        symbols that goes on from a state of one row, and the states."""
        ...

    def parameters(self) -> Iterator[nn.Parameter]:
        """Return the weights."""
        ...
