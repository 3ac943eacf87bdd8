"""A model of images: the probability of every channel of every pixel given those before it.

    levels (B, H, W, C) -> masked convolution, mask A (B, H, W, D) -> encoder of Grids, masks B
        -> ReLU, linear, ReLU, for each pixel -> output: the probability of each level

Pixels come in raster order and the channels of a pixel one after the other. The first convolution
sees what comes before only, as a language model is given the symbols before; so the encoder, whose
state of a pixel may depend on its own input, is any causal one (van den Oord et al. 2016, Pixel
Recurrent Neural Networks).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.contracts.types import GridEncoderBuilder, GridStepper, PixelOutput, PixelOutputBuilder
from rnnpipe.errors import StructureError
from rnnpipe.layers.dropout import Dropout
from rnnpipe.layers.masked_conv import RowConv, RowsConv, require_features
from rnnpipe.layers.precision import backpropagate
from rnnpipe.parts.decoders.generation.noise import GumbelNoise
from rnnpipe.structures import Encoded, Grids


@dataclass(frozen=True)
class Picture:
    """pixels: ``(H, W, C)`` uint8. label: index of its class, if there are classes. Its length is
    the number of predicted values: of the channels of all pixels."""

    pixels: np.ndarray
    label: int | None = None

    def __len__(self) -> int:
        return self.pixels.size


@dataclass(frozen=True)
class ImageModelBuilder:
    """The settings of a model of images.

    encoder, output: encoder of the pixels and distribution of their levels.
    width: D, number of features of the first convolution.
    reach: pixels that the first convolution covers on each side: 3 for 7 x 7.
    readout: number of features per pixel between the encoder and the output.
    dropout: dropout rate of the encoder's states; ``None``: the training loop's rate.
    max_pixels: maximum number of pixels computed at once; a single image may exceed it.
    """

    encoder: GridEncoderBuilder
    output: PixelOutputBuilder
    width: int = 32
    reach: int = 3
    readout: int = 32
    dropout: float | None = None
    max_pixels: int = 65536

    def build(self, facts: dict[str, Any]) -> ImageModel:
        """Build the model.

        facts: number of ``channels`` per pixel, of ``levels`` per channel, and ``labels``, the
            classes, empty for an unconditional model.
        """
        return ImageModel(self, facts["channels"], facts["levels"], len(facts["labels"]))


class ImageModel(nn.Module):
    """A model of images with known sizes. The module's docstring shows the flow of the data.

    n_classes: number of classes; 0 for an unconditional model.

    Raises:
        StructureError: a setting, which it names, is too small for the number of channels.
    """

    def __init__(
        self, builder: ImageModelBuilder, channels: int, levels: int, n_classes: int
    ) -> None:
        super().__init__()
        self.channels, self.levels = channels, levels
        self.max_pixels = builder.max_pixels
        self.input = MaskedInput(channels, builder.width, builder.reach)
        self.classes = nn.Embedding(n_classes, builder.width) if n_classes else None
        try:
            encoder = builder.encoder.for_channels(channels)(builder.width)
        except StructureError as error:
            raise StructureError(f"encoder.{error}") from None
        self.encoder = cast(nn.Module, encoder)
        self.dropout = Dropout(builder.dropout)
        require_features("readout", builder.readout, channels)
        self.readout = RowConv(encoder.n_out, builder.readout, channels)
        self.output = cast(nn.Module, builder.output(builder.readout, channels, levels))

    # -- training and scoring ------------------------------------------------------------------

    def accumulate_gradients(self, pictures: Sequence[Picture], scale: float = 1.0) -> Tensor:
        """Add ``scale`` times the gradient of :meth:`loss` to the parameters' gradients, unless
        gradients are off. Return the loss of all images, shape ``()``."""
        device = self.readout.weight.device
        total = torch.zeros((), device=device)
        for pixels, classes in self._batches(pictures):
            loss = self.loss(pixels, classes).float()
            backpropagate(loss * scale)
            total = total + loss.detach()
        return total

    def log_likelihoods(self, pictures: Sequence[Picture]) -> np.ndarray:
        """Return the log-probability of each image in nats, ``(N,)`` float32."""
        parts = [np.zeros(0, dtype=np.float32)]
        for batch in self._batches(pictures):
            parts.append(self.log_probabilities(*batch).float().cpu().numpy())
        return np.concatenate(parts)

    def loss(self, pixels: Tensor, classes: Tensor | None = None) -> Tensor:
        """Compute the *sum* of the images' negative log-likelihoods in nats, shape ``()``.

        pixels: ``(B, H, W, C)`` int64 levels. classes: ``(B,)`` int64, if there are classes.
        """
        return -self._scores(pixels, classes).sum()

    def log_probabilities(self, pixels: Tensor, classes: Tensor | None = None) -> Tensor:
        """Compute the log-probability of each image in nats, ``(B,)``."""
        return self._scores(pixels, classes).sum((1, 2))

    def log_probabilities_of_levels(self, pixels: Tensor, classes: Tensor | None = None) -> Tensor:
        """Compute the log-probability of each level of each pixel channel, given those before it:
        ``(B, H, W, C, levels)``."""
        return self._output.log_probabilities(self._states(pixels, classes))

    # -- generation ----------------------------------------------------------------------------

    @torch.no_grad()
    def generate(
        self,
        n: int,
        height: int,
        width: int,
        *,
        temperature: float = 1.0,
        seed: int | None = None,
        given: Tensor | None = None,
        known: Tensor | None = None,
        classes: Tensor | None = None,
    ) -> Tensor:
        """Generate n images, ``(n, H, W, C)`` int64. The features of a pixel are computed once,
        when the pixel or its row begins.

        temperature: 1 samples from the model; lower values favour probable levels; 0 takes the most
            probable one.
        seed: random seed. Image i depends on the seed and on i, not on n.
        given, known: ``(n, H, W, C)`` levels, which are kept where ``(n, H, W)`` is true.
        classes: ``(n,)`` int64, if there are classes.
        """
        device = self.readout.weight.device
        noise = GumbelNoise(seed, list(range(n)), self.levels)
        images = torch.zeros(n, height, width, self.channels, dtype=torch.int64, device=device)
        stepper = cast(GridStepper, self.encoder)
        seen, state = self.input.start(n, width), stepper.start(n, width)
        for row in range(height):
            for column in range(width):
                pixel = images[:, row, column]
                for channel in range(self.channels):
                    x = self._condition(self.input.look(self._values(pixel), seen), classes)
                    h, after = stepper.step(x, state)
                    levels = self._output.log_probabilities(self._read(h))[:, channel]
                    drawn = levels + temperature * torch.from_numpy(noise.next()).to(device)
                    pixel[:, channel] = drawn.argmax(-1)
                    if given is not None and known is not None:
                        taken, here = given[:, row, column, channel], known[:, row, column]
                        pixel[:, channel] = torch.where(here, taken, pixel[:, channel])
                seen, state = self.input.read(self._values(pixel), seen), after
        return images

    # -- parts ---------------------------------------------------------------------------------

    def _batches(self, pictures: Sequence[Picture]) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield images of one size, ``(B, H, W, C)`` int64, and their classes, ``(B,)``, if any."""
        if not pictures:
            return
        height, width, _ = pictures[0].pixels.shape
        size, device = max(1, self.max_pixels // (height * width)), self.readout.weight.device
        for begin in range(0, len(pictures), size):
            part = pictures[begin : begin + size]
            pixels = torch.from_numpy(np.stack([picture.pixels for picture in part]))
            labels = [picture.label for picture in part if picture.label is not None]
            yield pixels.to(device).long(), torch.tensor(labels).to(device) if labels else None

    @property
    def _output(self) -> PixelOutput:
        return cast(PixelOutput, self.output)

    def _scores(self, pixels: Tensor, classes: Tensor | None) -> Tensor:
        """Sum the log-probabilities of a pixel's channels, ``(B, H, W)``."""
        return self._output.score(self._states(pixels, classes), pixels)

    def _states(self, pixels: Tensor, classes: Tensor | None) -> Tensor:
        """Compute the output's inputs, ``(B, H, W, readout)``."""
        x = self._condition(self.input(self._values(pixels)), classes)  # (B, H, W, D)
        batch_size, height, width = pixels.shape[:3]
        structure = Grids.from_shapes([(height, width)] * batch_size, pixels.device)
        encoded: Encoded = self.encoder(x.flatten(1, 2), structure)
        features = self._read(encoded.states)  # (B, T, readout)
        return features.view(batch_size, height, width, features.shape[2])

    def _values(self, pixels: Tensor) -> Tensor:
        """Scale levels to intensities in [-1, 1]."""
        return pixels.to(self.readout.weight.dtype) * (2.0 / (self.levels - 1)) - 1.0

    def _condition(self, features: Tensor, classes: Tensor | None) -> Tensor:
        """Shift the features of all pixels by their image's class, ``(B, ..., D)``."""
        if self.classes is None or classes is None:
            return features
        shift: Tensor = self.classes(classes)  # (B, D)
        return features + shift.view(len(shift), *[1] * (features.dim() - 2), shift.shape[1])

    def _read(self, states: Tensor) -> Tensor:
        """Apply the readout, ``(..., n_out) -> (..., readout)``."""
        features: Tensor = self.readout(self.dropout(states).relu())
        return features.relu()


class InputState(NamedTuple):
    """The state of the first convolution before a pixel.

    rows: intensities of the last rows, ``(B, reach, width, C)``.
    above: their contribution to the features of this row's pixels, ``(B, width, D)``.
    row: intensities of this row's pixels so far, ``(B, C)`` each.
    left: intensities of the pixels to the left, ``(B, reach * C)``.
    """

    rows: Tensor
    above: Tensor
    row: tuple[Tensor, ...]
    left: Tensor


class MaskedInput(nn.Module):
    """A convolution with mask A: the features of a pixel depend on the previous pixels only; those
    of channel c also on the pixel's own channels before c."""

    def __init__(self, channels: int, width: int, reach: int) -> None:
        super().__init__()
        self.channels, self.reach = channels, reach
        self.above = RowsConv(channels, width, rows=reach, reach=reach, strict=True)
        self.own_row = RowConv(channels, width, channels, reach=reach, strict=True)

    def forward(self, values: Tensor) -> Tensor:
        """Apply the convolution, ``(B, H, W, C) -> (B, H, W, D)``."""
        features: Tensor = self.above(values) + self.own_row(values)
        return features

    def start(self, batch_size: int, width: int) -> InputState:
        rows = self.above.bias.new_zeros(batch_size, self.reach, width, self.channels)
        return self._begin_row(rows)

    def look(self, values: Tensor, state: InputState) -> Tensor:
        """Compute the features ``(B, D)`` of the next pixel, whose first channels are known:
        intensities ``(B, C)``."""
        window = torch.cat([state.left, values], dim=-1)
        return state.above[:, len(state.row)] + self.own_row.step(window)

    def read(self, values: Tensor, state: InputState) -> InputState:
        """Return the state after that pixel."""
        row = (*state.row, values)
        if len(row) == state.above.shape[1]:
            rows = torch.cat([state.rows, torch.stack(row, 1).unsqueeze(1)], dim=1)
            return self._begin_row(rows[:, 1:])
        left = torch.cat([state.left, values], dim=-1)[:, self.channels :]
        return state._replace(row=row, left=left)

    def _begin_row(self, rows: Tensor) -> InputState:
        left = rows.new_zeros(rows.shape[0], self.reach * self.channels)
        return InputState(rows, self.above.step(rows), (), left)
