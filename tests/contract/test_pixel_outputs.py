"""What every registered output of a model of images promises."""

import copy
import pickle

import pytest
import torch
from building import build

from rnnpipe.types import PixelOutputBuilder

N_IN, CHANNELS, LEVELS = 6, 3, 2


@pytest.fixture
def builder(pixel_output_name):
    builder = build("pixel_output", pixel_output_name)
    assert isinstance(builder, PixelOutputBuilder)
    return builder


@pytest.fixture
def output(builder):
    torch.manual_seed(1)
    return builder(N_IN, CHANNELS, LEVELS).eval()


def problem():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 4, 5, N_IN, generator=generator)
    return x, torch.randint(0, LEVELS, (2, 4, 5, CHANNELS), generator=generator)


def test_probabilities_add_up_and_scores_are_among_them(output):
    x, pixels = problem()
    every = output.log_probabilities(x)
    assert every.shape == (2, 4, 5, CHANNELS, LEVELS)
    torch.testing.assert_close(every.exp().sum(-1), torch.ones(2, 4, 5, CHANNELS))
    chosen = every.gather(-1, pixels.unsqueeze(-1)).squeeze(-1).sum(-1)
    torch.testing.assert_close(output.score(x, pixels), chosen)


def test_a_channel_depends_on_the_features_of_channels_up_to_it(output):
    x, _ = problem()

    def scores(features):
        return output.log_probabilities(features)

    jacobian = torch.autograd.functional.jacobian(scores, x[0, 0, 0])
    owner = torch.arange(N_IN) * CHANNELS // N_IN
    for channel in range(CHANNELS):
        assert jacobian[channel][:, owner > channel].abs().sum() == 0
        assert (jacobian[channel][:, owner <= channel].abs().sum(0) > 0).all()


@torch.no_grad()
def test_pixels_one_by_one(output):
    x, pixels = problem()
    together, every = output.score(x, pixels), output.log_probabilities(x)
    for place in [(0, 0, 0), (1, 3, 4)]:
        alone = output.score(x[place].unsqueeze(0), pixels[place].unsqueeze(0))
        torch.testing.assert_close(alone[0], together[place])
        torch.testing.assert_close(output.log_probabilities(x[place]), every[place])


def test_runs_without_a_device(builder):
    output = builder(N_IN, CHANNELS, LEVELS).to("meta")
    x, pixels = (t.to("meta") for t in problem())
    output.score(x.requires_grad_(), pixels).sum().backward()
    assert x.grad.shape == x.shape
    assert output.log_probabilities(x).shape == (2, 4, 5, CHANNELS, LEVELS)


def test_copies_and_pickles_give_equal_scores(builder, output):
    x, pixels = problem()
    want = output.score(x, pixels)
    assert torch.equal(copy.deepcopy(output).score(x, pixels), want)
    fresh = pickle.loads(pickle.dumps(builder))(N_IN, CHANNELS, LEVELS)
    fresh.load_state_dict(output.state_dict())
    assert torch.equal(fresh.score(x, pixels), want)
