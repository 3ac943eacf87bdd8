"""What every output of a model of images promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnpipe.contracts.registry import pixel_outputs
from rnnpipe.contracts.types import PixelOutputBuilder
from rnnpipe.testing.modules import (
    rebuilt,
    require_copies,
    require_names,
    require_no_gradient,
    require_same_weights,
    require_trained,
)
from rnnpipe.testing.promises import (
    Kind,
    require,
    require_close,
    require_shape,
    require_type,
    trying,
)

#: Images, and the height and width of each.
SHAPE = (2, 4, 5)
IMAGES = "2 images of 4 x 5 pixels"


@dataclass(frozen=True)
class PixelOutputCase:
    """An output to check. n_in: the width of the states. channels: of a pixel. levels: of each."""

    name: str
    builder: PixelOutputBuilder
    n_in: int = 6
    channels: int = 3
    levels: int = 2

    def build(self, seed: int = 1) -> Any:
        """The output, in evaluation mode."""
        torch.manual_seed(seed)
        output: Any = self.builder(self.n_in, self.channels, self.levels)
        return output.eval()

    def drawn(self) -> tuple[Tensor, Tensor]:
        """States ``(2, 4, 5, n_in)`` and pixels ``(2, 4, 5, C)``."""
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(*SHAPE, self.n_in, generator=generator)
        return x, torch.randint(self.levels, (*SHAPE, self.channels), generator=generator)


PIXEL_OUTPUT = Kind("pixel output", pixel_outputs, PixelOutputBuilder, PixelOutputCase)


@PIXEL_OUTPUT.promise("Probabilities add up to 1, and scores are those of all channels together.")
@torch.no_grad()
def probabilities(case: PixelOutputCase) -> None:
    output, (x, pixels) = case.build(), case.drawn()
    with trying(IMAGES):
        every = output.log_probabilities(x)
        require_shape(every, (*pixels.shape, case.levels), "log-probabilities")
        require_close(every.exp().sum(-1), torch.ones(pixels.shape), "sums of the probabilities")
        chosen = every.gather(-1, pixels.unsqueeze(-1)).squeeze(-1)  # (2, 4, 5, C)
        require_close(output.score(x, pixels), chosen.sum(-1), "scores")


@PIXEL_OUTPUT.promise("A channel depends on the features of channels up to it, and on all of them.")
def channels(case: PixelOutputCase) -> None:
    output, (x, _) = case.build(), case.drawn()
    owner = torch.arange(case.n_in) * case.channels // case.n_in
    with trying("a pixel"):
        every: Any = torch.autograd.functional.jacobian(  # type: ignore[no-untyped-call]
            output.log_probabilities, x[0, 0, 0]
        )  # (C, levels, n_in)
        for channel, jacobian in enumerate(every):
            later, known = jacobian[:, owner > channel], jacobian[:, owner <= channel]
            require_no_gradient(later, f"channel {channel}, of features of later ones")
            n = int((known == 0).all(0).sum())
            require(n == 0, f"channel {channel}: expected to know its features, got {n} unused.")


@PIXEL_OUTPUT.promise("A pixel depends on nothing else in the batch, whatever the rank.")
@torch.no_grad()
def batch(case: PixelOutputCase) -> None:
    output, (x, pixels) = case.build(), case.drawn()
    with trying(IMAGES):
        together, every = output.score(x, pixels), output.log_probabilities(x)
        require_shape(together, SHAPE, "scores")
    for place in [(0, 0, 0), (1, 3, 4)]:
        image, row, column = place
        with trying(f"the pixel in row {row} and column {column} of image {image}"):
            alone = output.score(x[place].unsqueeze(0), pixels[place].unsqueeze(0))
            require_close(alone, together[place].unsqueeze(0), "score, alone and together")
            one = output.log_probabilities(x[place])
            require_close(one, every[place], "log-probabilities, alone and together")


@PIXEL_OUTPUT.promise("A training step never waits for a value from the device.")
def meta(case: PixelOutputCase) -> None:
    output = case.build().train().to("meta")
    with trying(f"{IMAGES} on the device 'meta'"):
        x, pixels = (drawn.to("meta") for drawn in case.drawn())
        output.score(x.requires_grad_(), pixels).sum().backward()
        require(x.grad is not None, "states: expected a gradient, got none.")
        require_trained(output)
        every = output.log_probabilities(x)
        require_shape(every, (*pixels.shape, case.levels), "log-probabilities")


@PIXEL_OUTPUT.promise("Scores are float32 under autocast to bfloat16, too.")
def precision(case: PixelOutputCase) -> None:
    output, (x, pixels) = case.build(), case.drawn()
    with trying(f"{IMAGES} in bfloat16"), torch.autocast("cpu", dtype=torch.bfloat16):
        for scores in (output.score(x.bfloat16(), pixels), output.log_probabilities(x.bfloat16())):
            require_type(scores, torch.float32, "scores")


@PIXEL_OUTPUT.promise("Copies, pickles and loaded weights score alike.")
def copies(case: PixelOutputCase) -> None:
    x, pixels = case.drawn()
    with trying(IMAGES):
        require_copies(case.build(), lambda output: output.score(x, pixels), rebuilt(case))


@PIXEL_OUTPUT.promise("Its parameters have names that thinc does not use (W, b, E).")
def names(case: PixelOutputCase) -> None:
    require_names(case.build())


@PIXEL_OUTPUT.promise("The same seed gives the same weights.")
def seeds(case: PixelOutputCase) -> None:
    require_same_weights(case.build(7), case.build(7))
