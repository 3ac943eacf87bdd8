"""Images pixel by pixel: what encoders and outputs of models that write them agree on."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from rnnpipe.contracts.types.parts import EncoderBuilder
from rnnpipe.structures import State


@runtime_checkable
class GridStepper(Protocol):
    """An encoder of images one pixel at a time, in raster order; every causal encoder of Grids is
    one. Stepping from the same state twice gives the same twice."""

    def start(self, batch_size: int, width: int) -> State:
        """Return the state before the first pixel of images of this width, of any height."""
        ...

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One pixel: ``x`` ``(B, n_in)`` to ``(B, n_out)`` and the state after it."""
        ...


@runtime_checkable
class GridEncoderBuilder(EncoderBuilder, Protocol):
    """What a registered function of encoders of images returns."""

    def for_channels(self, channels: int) -> EncoderBuilder:
        """Return the builder of encoders whose states of channel c depend, of the pixel's own
        features, on those of channels up to c alone; each channel has an equal share of both.
        Otherwise there is one channel."""
        ...


class PixelOutput(Protocol):
    """The last layer of a model of images, a ``torch.nn.Module``: from states to levels. The share
    of the states that belongs to channel c, and those before it, say what channel c may be."""

    def score(self, x: Tensor, pixels: Tensor) -> Tensor:
        """Return the log-probability of each pixel in nats, its channels together: ``(..., n_in)``
        and ``(..., C)`` int64 levels to ``(...)``."""
        ...

    def log_probabilities(self, x: Tensor) -> Tensor:
        """That of every level of each channel: ``(..., n_in) -> (..., C, levels)``."""
        ...


@runtime_checkable
class PixelOutputBuilder(Protocol):
    """What a registered function of pixel outputs returns."""

    def __call__(self, n_in: int, channels: int, levels: int) -> PixelOutput: ...
