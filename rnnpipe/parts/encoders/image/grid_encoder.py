"""What encoders of images have in common: images of one size at a time, and their builder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial

from torch import Tensor, nn

from rnnpipe.contracts.types import EncoderBuilder
from rnnpipe.structures import Encoded, Grids, State


class GridEncoder(nn.Module, ABC):
    """An encoder whose state of a pixel depends on the pixels up to it, in raster order, and, of
    its own features, on those of channels up to the state's: see
    :mod:`rnnpipe.layers.masked_conv`.

    It is a :class:`~rnnpipe.contracts.types.GridStepper` too.
    """

    structure: type = Grids
    causal = True
    n_out: int

    def forward(self, inputs: Tensor, structure: Grids, state: State | None = None) -> Encoded:
        """``(B, T, n_in)`` to states ``(B, T, n_out)``. state: none is carried, ``None``."""
        return Encoded(structure.map(self.encode, inputs), structure, self.n_out)

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """Images of one size: ``(B, height, width, n_in) -> (B, height, width, n_out)``."""

    @abstractmethod
    def start(self, batch_size: int, width: int) -> State:
        """Return the state before the first pixel of images of this width."""

    @abstractmethod
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the next pixel, ``(B, n_in)`` to ``(B, n_out)``, and the state after it. What all
        pixels of a row share is computed with the first of them."""


class GridSettings(ABC):
    """The base of their settings, a :class:`~rnnpipe.contracts.types.GridEncoderBuilder`."""

    def __call__(self, n_in: int) -> GridEncoder:
        return self.build(n_in, 1)

    def for_channels(self, channels: int) -> EncoderBuilder:
        return partial(self.build, channels=channels)

    @abstractmethod
    def build(self, n_in: int, channels: int) -> GridEncoder: ...
