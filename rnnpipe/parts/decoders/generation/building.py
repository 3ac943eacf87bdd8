"""What the settings of generating decoders have in common, and how filters are applied."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, NoReturn

import torch
from torch import Tensor

from rnnpipe.contracts.types import Alphabet, Filter, FilterBuilder, SequenceGenerator
from rnnpipe.errors import SettingsError


class GeneratorSettings(ABC):
    """A :class:`rnnpipe.contracts.types.SequenceGeneratorBuilder`. name: its name in configs."""

    name: ClassVar[str]

    def __repr__(self) -> str:
        return self.name

    @abstractmethod
    def generator(self, alphabet: Alphabet) -> SequenceGenerator: ...


class Filters:
    """A sequence of filters, after the one that keeps texts from ending too early.

    where: name of the decoder. besides: other settings of it that exclude symbols. Both for errors.
    """

    def __init__(
        self,
        builders: Mapping[str, FilterBuilder] | None,
        alphabet: Alphabet,
        where: str,
        besides: Sequence[str] = (),
    ) -> None:
        self.filters: dict[str, Filter] = {
            name: builder(alphabet) for name, builder in (builders or {}).items()
        }
        self.where = where
        self.besides = besides

    def __bool__(self) -> bool:
        return bool(self.filters)

    def __call__(self, log_probabilities: Tensor, history: Tensor, forbidden: int | None) -> Tensor:
        """Apply the filters as :meth:`apply` does. Raise SettingsError if a text has no possible
        next symbol."""
        left = self.apply(log_probabilities, history, forbidden)
        if left is not log_probabilities and not bool((left.amax(-1) > -torch.inf).all()):
            self.refuse(history.shape[-1], forbidden)
        return left

    def apply(self, log_probabilities: Tensor, history: Tensor, forbidden: int | None) -> Tensor:
        """Apply the filters, ``(B, V)`` and ``(B, t)`` to ``(B, V)``; exclude the symbol
        ``forbidden``."""
        if forbidden is not None:
            log_probabilities = log_probabilities.clone()
            log_probabilities[:, forbidden] = -torch.inf
        for keep in self.filters.values():
            log_probabilities = keep(log_probabilities, history)
        return log_probabilities

    def refuse(self, length: int, forbidden: int | None) -> NoReturn:
        """Raise SettingsError: no symbol can follow a text of this length."""
        reasons = [*self.filters, *self.besides] + ["min_length"] * (forbidden is not None)
        raise SettingsError(
            f"{self.where}: expected at least one allowed next symbol, got none after "
            f"{length} symbols under {', '.join(reasons or ['the model'])}. Relax one of them."
        )
