"""Fixed parts of a corpus that has no split of its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from rnnpipe.errors import SettingsError, expected


@dataclass(frozen=True)
class Share:
    """The texts whose place is from ``low`` on and below ``high``. seed: another for other places.

    Raises SettingsError unless ``0 <= low < high <= 1``.
    """

    low: float
    high: float
    seed: int

    def __post_init__(self) -> None:
        if not 0.0 <= self.low < self.high <= 1.0:
            want = "[from, to] with 0 <= from < to <= 1"
            raise SettingsError(expected("share", want, (self.low, self.high)))

    def __contains__(self, text: str) -> bool:
        return self.low <= place(text, self.seed) < self.high


def place(text: str, seed: int) -> float:
    """Where in [0, 1) a text falls; the texts of a corpus are spread evenly."""
    digest = hashlib.blake2b(f"{seed} {text}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
