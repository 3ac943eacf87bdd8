"""The kit finds every way in which an output of a model of images can break a promise."""

import numpy as np
import pytest
import torch
from helpers.broken import can_all_be_broken, told

from rnnpipe.parts.pixel_outputs.softmax import Softmax
from rnnpipe.testing import check_pixel_output
from rnnpipe.testing.pixel_outputs import PIXEL_OUTPUT


class Output(torch.nn.Module):
    def __init__(self, n_in, channels, levels):
        super().__init__()
        self.inner = Softmax()(n_in, channels, levels)

    def score(self, x, pixels):
        return self.spoil(self.inner.score(x, pixels))

    def log_probabilities(self, x):
        return self.spoil(self.inner.log_probabilities(x))

    def spoil(self, scores):
        return scores


class Unlikely(Output):
    def spoil(self, scores):
        return scores - 1


class FirstChannel(Output):
    def score(self, x, pixels):
        every = self.inner.log_probabilities(x).gather(-1, pixels.unsqueeze(-1))
        return every[..., 0, 0]


class Flat(Output):
    def log_probabilities(self, x):
        return self.inner.log_probabilities(x).flatten(-2)


class Peeking(Output):
    def log_probabilities(self, x):
        return self.inner.log_probabilities(x.flip(-1))


class Blind(Output):
    def log_probabilities(self, x):
        return self.inner.log_probabilities(torch.cat([x[..., :1].detach(), x[..., 1:]], -1))


class Centred(Output):
    def score(self, x, pixels):
        scores = self.inner.score(x, pixels)
        return scores - scores.mean()


class OfImages(Output):
    def log_probabilities(self, x):
        images, height, width, _ = x.shape
        return self.inner.log_probabilities(x).view(images, height, width, 3, 2)


class Summed(Output):
    def score(self, x, pixels):
        return self.inner.score(x, pixels).sum()


class Measuring(Output):
    def spoil(self, scores):
        return scores * float(scores.sum().isfinite().item())


class Cut(Output):
    def score(self, x, pixels):
        return self.inner.score(x.detach(), pixels)


class Half(Output):
    def spoil(self, scores):
        return scores.bfloat16()


class Scaled(Output):
    def __init__(self, n_in, channels, levels):
        super().__init__(n_in, channels, levels)
        self.factor = torch.rand(())

    def spoil(self, scores):
        return scores * self.factor


class Named(Output):
    def __init__(self, n_in, channels, levels):
        super().__init__(n_in, channels, levels)
        self.b = torch.nn.Parameter(torch.ones(()))


class Unseeded(Output):
    def __init__(self, n_in, channels, levels):
        super().__init__(n_in, channels, levels)
        self.register_buffer("noise", torch.from_numpy(np.random.default_rng().standard_normal(3)))


BROKEN = [
    ("probabilities", Unlikely, "Found: sums of the probabilities: expected values equal to 1e-05"),
    ("probabilities", FirstChannel, "2 images of 4 x 5 pixels.\nFound: scores: expected values"),
    ("probabilities", Flat, "log-probabilities: expected the shape (2, 4, 5, 3, 2), got"),
    ("channels", Peeking, "a pixel.\nFound: channel 0, of features of later ones: expected no gra"),
    ("channels", Blind, "Found: channel 0: expected to know its features, got 1 unused."),
    ("batch", Centred, "in row 0 and column 0 of image 0.\nFound: score, alone and together: exp"),
    ("batch", OfImages, "in row 0 and column 0 of image 0.\nFound: ValueError: not e"),
    ("batch", Summed, "Found: scores: expected the shape (2, 4, 5), got ()."),
    ("meta", Measuring, "Found: RuntimeError: Tensor.item() cannot be called on meta tensors"),
    ("meta", Cut, "Found: states: expected a gradient, got none."),
    ("meta", Named, "Found: b: expected a gradient, got none."),
    ("precision", Half, "Found: scores: expected torch.float32, got torch.bfloat16."),
    ("copies", Scaled, "Found: the answer of a pickle of the builder, with the weights loaded"),
    ("names", Named, "Found: b: expected another name than 'b'."),
    ("seeds", Unseeded, "Found: noise: expected the same values to the last bit, got 3 others."),
]


@pytest.mark.parametrize("promise, builder, found", BROKEN)
def test_a_broken_promise_is_found(promise, builder, found):
    assert found in told(PIXEL_OUTPUT, promise, builder)


def test_every_promise_can_be_broken():
    assert can_all_be_broken(PIXEL_OUTPUT, BROKEN)


def test_a_sound_output_breaks_none():
    check_pixel_output(Output)
    check_pixel_output("rnnpipe.DiscretizedLogisticMixture.v1", channels=1, levels=16)
