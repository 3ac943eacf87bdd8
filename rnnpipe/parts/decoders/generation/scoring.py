"""What a finished hypothesis of a beam is worth, and what an open one can still become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from rnnpipe.contracts.types import NextSymbol
from rnnpipe.contracts.types.text import Covering
from rnnpipe.errors import SettingsError, expected
from rnnpipe.structures import State

LengthPenalty: TypeAlias = Literal["none", "average", "gnmt"]


@dataclass(frozen=True)
class Scoring:
    """``score = log p / penalty(n) + coverage_penalty * coverage`` (Wu et al. 2016).

    n: the symbols of the text, the end symbol included.
    length_penalty: ``"none"``: 1. ``"average"``: n. ``"gnmt"``: ``((5 + n) / 6) ** alpha``.
    """

    length_penalty: LengthPenalty = "none"
    alpha: float = 1.0
    coverage_penalty: float = 0.0

    def score(self, values: np.ndarray, length: int) -> np.ndarray:
        """Without coverage. ``values``: log-probabilities in nats."""
        return values / self._penalty(length)

    def bound(self, values: np.ndarray, max_length: int) -> np.ndarray:
        """Return the best score that anything these begin can have. Going on makes log p no
        greater; all penalties grow with the length, and log p is negative, so that the longest text
        divides it by most; coverage is at most 0."""
        return values / self._penalty(max_length) if self.length_penalty != "none" else values

    def coverage(self, model: NextSymbol, state: State, where: str) -> np.ndarray | None:
        """``(B,)``, what to add to scores; ``None``: nothing.

        Raises SettingsError if it is asked of a model that does not know.
        """
        if not self.coverage_penalty:
            return None
        if not isinstance(model, Covering):
            got, do = f"no coverage from {type(model).__name__}", "Set coverage_penalty to 0."
            setting = f"{where}.coverage_penalty"
            raise SettingsError(expected(setting, "a model with attention", got, do))
        coverage: np.ndarray = model.coverage(state).double().cpu().numpy()
        return self.coverage_penalty * coverage

    def _penalty(self, length: int) -> float:
        if self.length_penalty == "average":
            return float(length)
        if self.length_penalty == "gnmt":
            return float(((5 + length) / 6) ** self.alpha)
        return 1.0
