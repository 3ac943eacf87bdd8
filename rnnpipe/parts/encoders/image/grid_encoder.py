"""What encoders of images have in common: images of one size at a time, and their builder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor, nn

from rnnpipe.structures import Encoded, Grids, State


class GridEncoder(nn.Module, ABC):
    """An encoder whose state of a pixel depends on the pixels up to it, in raster order, and, of
    its own features, on those of channels up to the state's: see
    :mod:`rnnpipe.layers.masked_conv`.

    It is a :class:`~rnnpipe.contracts.types.GridStepper` too.
    """

    structure = Grids
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
        """The state before the first pixel of images of this width."""

    @abstractmethod
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """The next pixel, ``(B, n_in)`` to ``(B, n_out)``, and the state after it. What all pixels
        of a row share is computed with the first of them."""


@dataclass(frozen=True)
class GridBuilder:
    """A :class:`~rnnpipe.contracts.types.GridEncoderBuilder`. encoder: called with n_in and
    channels."""

    encoder: Callable[[int, int], GridEncoder]
    channels: int = 1

    def __call__(self, n_in: int) -> GridEncoder:
        return self.encoder(n_in, self.channels)

    def for_channels(self, channels: int) -> GridBuilder:
        return replace(self, channels=channels)
