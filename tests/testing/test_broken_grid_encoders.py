"""The kit finds the ways in which an encoder of images can break a promise."""

from dataclasses import dataclass

import pytest
import torch
from helpers.broken import can_all_be_broken, told

from rnnpipe.parts.encoders.image.diagonal_bilstm import DiagonalBiLSTM
from rnnpipe.parts.encoders.image.grid_encoder import GridSettings
from rnnpipe.parts.encoders.image.pixel_cnn import GatedPixelCNN, PixelCNN
from rnnpipe.testing import check_encoder
from rnnpipe.testing.encoders import ENCODER


@dataclass(frozen=True)
class GridBuilder(GridSettings):
    encoder: type

    def build(self, n_in, channels):
        return self.encoder(n_in, channels)


class Spoilt(GatedPixelCNN):
    """A PixelCNN that somebody tampers with."""

    def __init__(self, n_in, channels):
        super().__init__(n_in, channels, PixelCNN(width=4, depth=2, reach=1))


class Mixed(Spoilt):
    """Each channel sees all of the pixel."""

    def encode(self, images):
        return super().encode(images) + images.sum(-1, keepdim=True)


class Blind(Spoilt):
    """No channel sees the pixel."""

    def encode(self, images):
        height, width = images.shape[1:3]
        shifted = torch.nn.functional.pad(images.flatten(1, 2), (0, 0, 1, -1))
        return super().encode(shifted.unflatten(1, (height, width)))


class Shifted(Spoilt):
    """Its first pixel is another one."""

    def step(self, x, state):
        y, after = super().step(x, state)
        return y + (not state.row), after


class Stepless(Spoilt):
    step = None


class Tracing(Spoilt):
    """What a step has seen stays."""

    def start(self, batch_size, width):
        self.seen = 0.0
        return super().start(batch_size, width)

    def step(self, x, state):
        y, after = super().step(x, state)
        self.seen = self.seen + 1.0
        return y + self.seen, after


class Random(Spoilt):
    def __init__(self, n_in, channels):
        super().__init__(n_in, channels)
        self.factor = torch.rand(())

    def encode(self, images):
        return super().encode(images) * self.factor


def one_channel(n_in):
    return Spoilt(n_in, 1)


BROKEN = [
    ("channels", GridBuilder(Mixed), "channels = 2, height = 1, width = 1.\nFound: later channe"),
    ("channels", GridBuilder(Blind), "Found: last state: expected channel 0 to know of its pixel."),
    ("channels", one_channel, "Found: builder: expected for_channels, which a model of images as"),
    ("pixels", GridBuilder(Shifted), "height = 1, width = 1.\nFound: step 0, and state 0 of the w"),
    ("pixels", GridBuilder(Stepless), "Found: It is causal: expected start and step."),
    ("pixels", GridBuilder(Tracing), "Found: step 0, and state 0 of the whole: expected values e"),
    ("channel_copies", GridBuilder(Random), "Found: the answer of a pickle of the builder, with "),
]


@pytest.mark.parametrize("promise, builder, found", BROKEN)
def test_a_broken_promise_is_found(promise, builder, found):
    assert found in told(ENCODER, promise, builder)


def test_every_promise_can_be_broken():
    assert can_all_be_broken(ENCODER, BROKEN, "rnnpipe.testing.grid_encoders")


def test_sound_encoders_break_none():
    check_encoder(GridBuilder(Spoilt))
    check_encoder(DiagonalBiLSTM(width=3), n_in=2)
