"""What the registered functions of generating decoders return, and how filters are applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import torch
from torch import Tensor

from rnnpipe.contracts.types import Alphabet, Filter, FilterBuilder, SequenceGenerator
from rnnpipe.errors import SettingsError


@dataclass(frozen=True)
class ForAlphabet:
    """A :class:`rnnpipe.contracts.types.SequenceGeneratorBuilder`."""

    make: Callable[[Alphabet], SequenceGenerator]
    name: str

    def __repr__(self) -> str:
        return self.name

    def generator(self, alphabet: Alphabet) -> SequenceGenerator:
        return self.make(alphabet)


class Filters:
    """Filters in a row, after the one that keeps texts from ending too early.

    where: the decoder; besides: what else of its settings excludes symbols; both for errors.
    """

    def __init__(
        self,
        builders: Mapping[str, FilterBuilder],
        alphabet: Alphabet,
        where: str,
        besides: Sequence[str] = (),
    ) -> None:
        self.filters: dict[str, Filter] = {
            name: builder(alphabet) for name, builder in builders.items()
        }
        self.where = where
        self.besides = besides

    def __bool__(self) -> bool:
        return bool(self.filters)

    def __call__(self, log_probabilities: Tensor, history: Tensor, forbidden: int | None) -> Tensor:
        """:meth:`apply`. Raises SettingsError if a text is left without a symbol to go on with."""
        left = self.apply(log_probabilities, history, forbidden)
        if left is not log_probabilities and not bool((left.amax(-1) > -torch.inf).all()):
            self.refuse(history.shape[-1], forbidden)
        return left

    def apply(self, log_probabilities: Tensor, history: Tensor, forbidden: int | None) -> Tensor:
        """``(B, V)`` and ``(B, t)`` to ``(B, V)``; ``forbidden`` may not come next."""
        if forbidden is not None:
            log_probabilities = log_probabilities.clone()
            log_probabilities[:, forbidden] = -torch.inf
        for keep in self.filters.values():
            log_probabilities = keep(log_probabilities, history)
        return log_probabilities

    def refuse(self, length: int, forbidden: int | None) -> NoReturn:
        """Nothing can follow a text of this length."""
        reasons = [*self.filters, *self.besides] + ["min_length"] * (forbidden is not None)
        raise SettingsError(
            f"{self.where}: expected at least one symbol that may come next, got none after "
            f"{length} symbols under {', '.join(reasons or ['the model'])}. Loosen one of them."
        )
