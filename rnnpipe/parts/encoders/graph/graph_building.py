"""How encoders over graphs are built: they are told how many types of edges there are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial

from rnnpipe.contracts.types import Encoder, EncoderBuilder


class GraphSettings(ABC):
    """The base of their settings, a :class:`~rnnpipe.contracts.types.GraphEncoderBuilder`."""

    def __call__(self, n_in: int) -> Encoder:
        return self.build(n_in, 1)

    def typed(self, n_types: int) -> EncoderBuilder:
        return partial(self.build, n_types=n_types)

    @abstractmethod
    def build(self, n_in: int, n_types: int) -> Encoder: ...
