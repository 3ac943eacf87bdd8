"""What every registered encoder of images promises, beside what all encoders do."""

import copy
import pickle

import pytest
import torch
from building import build

from rnnpipe.structures import Grids
from rnnpipe.types import GridEncoderBuilder, GridStepper

N_IN, HEIGHT, WIDTH = 6, 3, 4


@pytest.fixture
def builder(grid_encoder_name):
    return build("encoder", grid_encoder_name)


def images(n=2, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, HEIGHT * WIDTH, N_IN, generator=generator, dtype=dtype)


def test_declares_what_it_is(builder):
    assert isinstance(builder, GridEncoderBuilder)
    encoder = builder(N_IN)
    assert encoder.causal
    assert isinstance(encoder, GridStepper)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_depends_on_earlier_pixels_and_channels_alone(builder, channels):
    encoder = builder.for_channels(channels)(N_IN).double().eval()
    structure = Grids.from_shapes([(HEIGHT, WIDTH)])
    x = images(1, torch.float64)

    def states(inputs):
        return encoder(inputs, structure).states[0]

    jacobian = torch.autograd.functional.jacobian(states, x)[:, :, 0].abs()
    for i in range(HEIGHT * WIDTH):
        assert jacobian[i, :, i + 1 :].sum() == 0
        later = torch.arange(N_IN) * channels // N_IN
        own = torch.arange(encoder.n_out) * channels // encoder.n_out
        assert jacobian[i, :, i][own.unsqueeze(1) < later].sum() == 0
        if i:
            assert jacobian[i, :, :i].sum() > 0


def test_pixel_by_pixel_equals_the_whole(builder):
    encoder = builder(N_IN).eval()
    x = images()
    whole = encoder(x, Grids.from_shapes([(HEIGHT, WIDTH)] * 2)).states
    state = encoder.start(2, WIDTH)
    for t in range(HEIGHT * WIDTH):
        encoder.step(torch.randn(2, N_IN), state)  # leaves no trace
        y, state = encoder.step(x[:, t], state)
        torch.testing.assert_close(y, whole[:, t], atol=1e-5, rtol=0)


def test_copies_with_channels_give_equal_states(builder):
    structure = Grids.from_shapes([(HEIGHT, WIDTH)] * 2)
    encoder = builder.for_channels(3)(N_IN).eval()
    want = encoder(images(), structure).states
    assert torch.equal(copy.deepcopy(encoder)(images(), structure).states, want)
    fresh = pickle.loads(pickle.dumps(builder.for_channels(3)))(N_IN).eval()
    fresh.load_state_dict(encoder.state_dict())
    assert torch.equal(fresh(images(), structure).states, want)
