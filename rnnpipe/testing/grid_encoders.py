"""What every causal encoder of images promises besides."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rnnpipe.contracts.types import GridEncoderBuilder, GridStepper
from rnnpipe.structures import Grids
from rnnpipe.testing.encoders import ENCODER, EncoderCase
from rnnpipe.testing.modules import rebuilt, require_copies, require_no_gradient
from rnnpipe.testing.promises import require, require_close, smallest, trying

#: The most channels that are tried, each with a feature of the inputs and one of the states.
MOST_CHANNELS = 3


def _draws_images(case: EncoderCase) -> bool:
    return issubclass(case.reads, Grids) and case.build().causal


def _of_channels(case: EncoderCase, channels: int) -> EncoderCase:
    """The same encoder, of pixels with so many channels."""
    builder: Any = case.builder
    is_one = isinstance(builder, GridEncoderBuilder)
    require(is_one, "builder: expected for_channels, which a model of images asks for.")
    return EncoderCase(case.name, builder.for_channels(channels), max(case.n_in, channels))


def _images(n_in: int, height: int, width: int) -> tuple[Tensor, Grids]:
    """Two images."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, height * width, n_in, generator=generator)
    return x, Grids.from_shapes([(height, width)] * 2)


def _sides() -> Any:
    from hypothesis import strategies as st

    return st.integers(1, 4)


@ENCODER.promise(
    "Of a pixel's own features, a state knows those of channels up to its own.", where=_draws_images
)
def channels(case: EncoderCase) -> None:
    from hypothesis import strategies as st

    def check(channels: int, height: int, width: int) -> None:
        of_channels = _of_channels(case, channels)
        encoder, (x, structure) = of_channels.build(), _images(of_channels.n_in, height, width)

        def last(pixel: Tensor) -> Tensor:
            inputs = torch.cat([x[:, :-1], pixel.expand(2, 1, -1)], dim=1)
            state: Tensor = encoder(inputs, structure).states[0, -1]
            return state

        jacobian: Any = torch.autograd.functional.jacobian(last, x[0, -1])  # type: ignore[no-untyped-call]
        n_out, n_in = jacobian.shape
        own = torch.arange(n_out).unsqueeze(1) * channels // n_out
        later = own < torch.arange(n_in) * channels // n_in
        require_no_gradient(jacobian[later], "later channels of the last state's pixel")
        for channel in range(channels):
            known = jacobian[(own == channel).squeeze(1)].any()
            require(bool(known), f"last state: expected channel {channel} to know of its pixel.")

    always = [{"channels": n, "height": 2, "width": 3} for n in (1, 2, MOST_CHANNELS)]
    drawn = {"channels": st.integers(1, MOST_CHANNELS), "height": _sides(), "width": _sides()}
    smallest(check, 4, always, **drawn)


@ENCODER.promise("Pixel by pixel it gives what it gives at once.", where=_draws_images)
def pixels(case: EncoderCase) -> None:
    encoder = case.build()
    require(isinstance(encoder, GridStepper), "It is causal: expected start and step.")

    def check(height: int, width: int) -> None:
        x, structure = _images(case.n_in, height, width)
        whole = encoder(x, structure).states
        state = encoder.start(2, width)
        for t in range(height * width):
            encoder.step(x[:, t] + 1, state)  # another pixel leaves no trace
            y, state = encoder.step(x[:, t], state)
            require_close(y, whole[:, t], f"step {t}, and state {t} of the whole")

    smallest(check, 6, [{"height": 3, "width": 4}], height=_sides(), width=_sides())


@ENCODER.promise(
    "Copies, pickles and loaded weights give the same states of several channels.",
    where=_draws_images,
)
def channel_copies(case: EncoderCase) -> None:
    with trying(f"images of 3 x 4 pixels and {MOST_CHANNELS} channels"):
        of_channels = _of_channels(case, MOST_CHANNELS)
        x, structure = _images(of_channels.n_in, 3, 4)
        require_copies(
            of_channels.build(),
            lambda encoder: encoder(x, structure).states,
            rebuilt(of_channels),
        )
