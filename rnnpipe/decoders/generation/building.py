"""What the registered functions of generating decoders return, and how filters are applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnpipe.errors import SettingsError
from rnnpipe.types import Alphabet, Filter, FilterBuilder, SequenceGenerator


@dataclass(frozen=True)
class ForAlphabet:
    """A :class:`rnnpipe.types.SequenceGeneratorBuilder`."""

    make: Callable[[Alphabet], SequenceGenerator]
    name: str

    def __repr__(self) -> str:
        return self.name

    def generator(self, alphabet: Alphabet) -> SequenceGenerator:
        return self.make(alphabet)


class Filters:
    """Filters in a row, after the one that keeps texts from ending too early.

    where: the decoder, for errors.
    """

    def __init__(
        self, builders: Mapping[str, FilterBuilder], alphabet: Alphabet, where: str
    ) -> None:
        self.filters: dict[str, Filter] = {
            name: builder(alphabet) for name, builder in builders.items()
        }
        self.where = where

    def __bool__(self) -> bool:
        return bool(self.filters)

    def __call__(self, log_probabilities: Tensor, history: Tensor, forbidden: int | None) -> Tensor:
        """``(B, V)`` and ``(B, t)`` to ``(B, V)``.

        forbidden: a symbol that may not come next.
        Raises SettingsError if a text is left without any symbol to go on with.
        """
        if forbidden is not None:
            log_probabilities = log_probabilities.clone()
            log_probabilities[:, forbidden] = -torch.inf
        for keep in self.filters.values():
            log_probabilities = keep(log_probabilities, history)
        if (self.filters or forbidden is not None) and not bool(
            (log_probabilities.amax(-1) > -torch.inf).all()
        ):
            self._refuse(history.shape[-1], forbidden)
        return log_probabilities

    def _refuse(self, length: int, forbidden: int | None) -> None:
        reasons = [*self.filters] + ["min_length"] * (forbidden is not None)
        raise SettingsError(
            f"{self.where}: expected at least one symbol that may come next, got none after "
            f"{length} symbols under {', '.join(reasons)}. Loosen one of them."
        )
