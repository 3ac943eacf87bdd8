"""Encoders of images: equal to the plain loops, causal channel by channel, without a blind spot."""

from itertools import product

import pytest
import torch
from helpers.pixel_oracle import pixel_by_pixel

from rnnpipe.errors import StructureError
from rnnpipe.layers import jit
from rnnpipe.parts.encoders.image.diagonal_bilstm import DiagonalBiLSTM
from rnnpipe.parts.encoders.image.pixel_cnn import PixelCNN
from rnnpipe.parts.encoders.image.row_lstm import RowLSTM
from rnnpipe.parts.encoders.sequence import compiled_lstm
from rnnpipe.structures import Grids

N_IN = 6
BUILDERS = {
    "PixelCNN": PixelCNN(width=6, depth=2),
    "PixelCNN of reach 2": PixelCNN(width=4, depth=2, reach=2),
    "RowLSTM": RowLSTM(width=3, depth=2),
    "RowLSTM of reach 2": RowLSTM(width=4, reach=2),
    "DiagonalBiLSTM": DiagonalBiLSTM(width=3, depth=2),
    "DiagonalBiLSTM of other width": DiagonalBiLSTM(width=5),
}
SHAPES = [(3, 4), (1, 4), (3, 1)]


@pytest.fixture(params=sorted(BUILDERS))
def builder(request):
    return BUILDERS[request.param]


def made(builder, channels=1, dtype=torch.float64):
    encoder = builder.for_channels(channels)(N_IN)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return encoder.to(dtype)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["torch", "numba"])
def test_equal_to_the_loop_over_pixels(builder, channels, dtype):
    encoder = made(builder, channels, dtype)
    near = {"atol": 1e-4, "rtol": 1e-3} if dtype is torch.float32 else {}
    for height, width in SHAPES:
        x = torch.randn(2, height, width, N_IN, dtype=dtype, requires_grad=True)
        fast = encoder.encode(x)
        slow = torch.stack([pixel_by_pixel(encoder, image) for image in x])
        torch.testing.assert_close(fast, slow, **near)
        leaves, factor = [x, *encoder.parameters()], torch.randn_like(fast)
        options = {"allow_unused": True, "materialize_grads": True}
        ours = torch.autograd.grad((fast * factor).sum(), leaves, **options)
        theirs = torch.autograd.grad((slow * factor).sum(), leaves, **options)
        for gradient, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(gradient, other, **near)


def test_numba_is_there_for_the_test_above():
    assert jit.kernels(compiled_lstm._KERNELS) is not None


def influence(encoder, height, width):
    """``(pixel, feature, pixel, feature)``: whether the first depends on the second."""
    x = torch.randn(1, height * width, N_IN, dtype=torch.float64)
    structure = Grids.from_shapes([(height, width)])

    def states(inputs):
        return encoder(inputs, structure).states[0]

    return torch.autograd.functional.jacobian(states, x)[:, :, 0] != 0


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_states_depend_on_earlier_pixels_and_of_their_own_on_channels_up_to_theirs(
    builder, channels
):
    encoder = made(builder, channels)
    depends = influence(encoder, 3, 4)
    channel = torch.arange(N_IN) * channels // N_IN
    own = torch.arange(encoder.n_out) * channels // encoder.n_out
    for i, j in product(range(12), repeat=2):
        if j > i:
            assert not depends[i, :, j].any()
        elif j == i:
            assert torch.equal(depends[i, :, i], channel <= own.unsqueeze(1))


def seen(encoder, height, width):
    """``(pixel, pixel)``: whether every feature of the first depends on every one of the second."""
    return influence(encoder, height, width).all(dim=3).all(dim=1)


def test_a_diagonal_bilstm_sees_all_the_past():
    everything = torch.ones(20, 20).tril().bool()
    assert torch.equal(seen(made(DiagonalBiLSTM(width=3)), 4, 5), everything)


def test_a_deep_pixel_cnn_has_no_blind_spot():
    everything = torch.ones(20, 20).tril().bool()
    assert torch.equal(seen(made(PixelCNN(width=4, depth=5)), 4, 5), everything)


def test_a_shallow_pixel_cnn_sees_a_pixel_in_each_direction_a_layer():
    depends = seen(made(PixelCNN(width=4, depth=1)), 4, 5)
    row, column = 2, 2
    at = {divmod(j, 5) for j in depends[row * 5 + column].nonzero().flatten().tolist()}
    assert at == {(r, c) for r in (0, 1) for c in (1, 2, 3)} | {(2, 1), (2, 2)}


def test_a_row_lstm_sees_the_triangle_above():
    depends = seen(made(RowLSTM(width=3)), 4, 7)
    row, column = 3, 3
    at = {divmod(j, 7) for j in depends[row * 7 + column].nonzero().flatten().tolist()}
    # In each row the pixels that its own neighbours in turn see, and one more to the left.
    assert at == {(3 - k, c) for k in range(4) for c in range(max(0, 2 - k), 4 + k)}


@pytest.mark.parametrize("channels", [1, 3])
def test_pixel_by_pixel_equals_the_whole(builder, channels):
    encoder = made(builder, channels)
    x = torch.randn(2, 4, 3, N_IN, dtype=torch.float64)
    whole = encoder.encode(x)
    state = encoder.start(2, 3)
    for row, column in product(range(4), range(3)):
        encoder.step(torch.randn(2, N_IN, dtype=torch.float64), state)  # leaves no trace
        y, state = encoder.step(x[:, row, column], state)
        torch.testing.assert_close(y, whole[:, row, column])


def test_images_of_several_sizes_in_a_batch(builder):
    encoder = made(builder)
    structure = Grids.from_shapes([(3, 4), (0, 0), (4, 3), (3, 4)])
    x = structure.blank(torch.randn(4, 12, N_IN, dtype=torch.float64))
    states = encoder(x, structure).states
    for i, shape in enumerate(structure.shapes):
        if shape != (0, 0):
            alone = encoder.encode(x[i].view(1, *shape, N_IN)).view(12, -1)
            torch.testing.assert_close(states[i], alone)


def test_bfloat16(builder):
    encoder = made(builder, dtype=torch.float32)
    x = torch.randn(2, 3, 4, N_IN)
    with torch.autocast("cpu", torch.bfloat16):
        low = encoder.encode(x).float()
    torch.testing.assert_close(low, encoder.encode(x), atol=0.2, rtol=0.1)


@pytest.mark.parametrize("build", [PixelCNN, RowLSTM, DiagonalBiLSTM])
def test_too_narrow_for_the_channels(build):
    with pytest.raises(StructureError, match="at least one feature for each of the 3 channels"):
        build(width=2).for_channels(3)(N_IN)
