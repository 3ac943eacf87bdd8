"""What the LSTMs over images have in common: residual layers on top of each other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import cast

from torch import Tensor, nn

from rnnpipe.layers.masked_conv import RowConv
from rnnpipe.parts.encoders.image.grid_encoder import GridEncoder
from rnnpipe.parts.encoders.image.grid_lstm import GridLSTM
from rnnpipe.structures import State


class PixelLSTMLayer(nn.Module, ABC):
    """``y = x + M h``, where h are an LSTM's states over the image x, and M is masked (van den Oord
    et al. 2016, figure 5). x has 2 H features if h has H; a first layer that is given others
    makes them so: ``y = S x + M h``."""

    def __init__(self, n_in: int, channels: int, lstm: GridLSTM) -> None:
        super().__init__()
        self.lstm = lstm
        self.n_in, self.n_out = n_in, 2 * lstm.width
        self.up = RowConv(lstm.width, self.n_out, channels)
        same = n_in == self.n_out
        self.shortcut = nn.Identity() if same else RowConv(n_in, self.n_out, channels)

    def forward(self, images: Tensor) -> Tensor:
        """Return the vectors, ``(B, height, width, n_in) -> (B, height, width, n_out)``."""
        return self.join(images, self.states(images))

    def join(self, x: Tensor, h: Tensor) -> Tensor:
        """``(..., n_in)`` and ``(..., H)`` to ``(..., n_out)``."""
        y: Tensor = self.shortcut(x) + self.up(h)
        return y

    @abstractmethod
    def states(self, images: Tensor) -> Tensor:
        """h: ``(B, height, width, n_in) -> (B, height, width, H)``."""

    @abstractmethod
    def start(self, batch_size: int, width: int) -> State:
        """Before the first pixel."""

    @abstractmethod
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """H of the next pixel: ``(B, n_in)`` to ``(B, H)``, and the state after it."""


class PixelLSTM(GridEncoder):
    """Such layers. layer: called with n_in and channels."""

    def __init__(
        self, n_in: int, channels: int, *, layer: Callable[[int, int], PixelLSTMLayer], depth: int
    ) -> None:
        super().__init__()
        layers = [layer(n_in, channels)]
        for _ in range(depth - 1):
            layers.append(layer(layers[0].n_out, channels))
        self.layers = nn.ModuleList(layers)
        self.n_out = layers[0].n_out

    @property
    def _layers(self) -> list[PixelLSTMLayer]:
        return [cast(PixelLSTMLayer, layer) for layer in self.layers]

    def encode(self, images: Tensor) -> Tensor:
        for layer in self.layers:
            images = layer(images)
        return images

    def start(self, batch_size: int, width: int) -> tuple[State, ...]:
        return tuple(layer.start(batch_size, width) for layer in self._layers)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, tuple[State, ...]]:
        after = []
        for layer, before in zip(self._layers, state, strict=True):
            h, now = layer.step(x, before)
            x = layer.join(x, h)
            after.append(now)
        return x, tuple(after)
