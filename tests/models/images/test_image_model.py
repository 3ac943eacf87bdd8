"""Models of images: exact probabilities, and images that are written pixel by pixel."""

import copy
import pickle
from itertools import product

import pytest
import torch

from rnnpipe.models.images.image_model import ImageModelBuilder
from rnnpipe.parts.decoders.generation.noise import GumbelNoise
from rnnpipe.parts.encoders.image.diagonal_bilstm import DiagonalBiLSTM
from rnnpipe.parts.encoders.image.pixel_cnn import PixelCNN
from rnnpipe.parts.encoders.image.row_lstm import RowLSTM
from rnnpipe.parts.pixel_outputs.bernoulli import Bernoulli
from rnnpipe.parts.pixel_outputs.logistic import DiscretizedLogisticMixture
from rnnpipe.parts.pixel_outputs.softmax import Softmax

ENCODERS = {
    "PixelCNN": PixelCNN(width=6, depth=2),
    "RowLSTM": RowLSTM(width=4, depth=2),
    "DiagonalBiLSTM": DiagonalBiLSTM(width=4, depth=2),
}
OUTPUTS = {
    "Bernoulli": (Bernoulli(), 2),
    "Softmax": (Softmax(), 3),
    "Logistic": (DiscretizedLogisticMixture(mixtures=2), 3),
}


#: So wide that no channel's features are all below zero.
WIDE = [PixelCNN(width=30, depth=2), RowLSTM(width=15), DiagonalBiLSTM(width=15)]


@pytest.fixture(autouse=True)
def fixed_seed():
    torch.manual_seed(0)


@pytest.fixture(params=sorted(ENCODERS))
def encoder(request):
    return ENCODERS[request.param]


@pytest.fixture(params=sorted(OUTPUTS))
def output(request):
    return OUTPUTS[request.param]


def built(encoder, output=OUTPUTS["Bernoulli"], channels=1, labels=(), readout=6):
    builder = ImageModelBuilder(encoder, output[0], width=6, readout=readout)
    facts = {"channels": channels, "levels": output[1], "labels": list(labels)}
    model = builder.build(facts).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def every_image(shape, levels):
    size = shape[0] * shape[1] * shape[2]
    return torch.tensor(list(product(range(levels), repeat=size))).view(-1, *shape)


@pytest.mark.parametrize("shape", [(2, 2, 1), (1, 2, 3), (3, 1, 2)])
@torch.no_grad()
def test_the_probabilities_of_all_images_add_up_to_one(encoder, output, shape):
    model = built(encoder, output, shape[2])
    total = model.log_probabilities(every_image(shape, output[1])).double().exp().sum()
    torch.testing.assert_close(total, torch.ones((), dtype=torch.float64), atol=1e-5, rtol=0)


def test_the_loss_is_the_sum_over_images(encoder, output):
    model = built(encoder, output, 3)
    pixels = torch.randint(0, output[1], (4, 3, 5, 3))
    each = model.log_probabilities(pixels)
    assert each.shape == (4,)
    torch.testing.assert_close(model.loss(pixels), -each.sum())
    for i in range(4):
        torch.testing.assert_close(model.log_probabilities(pixels[i : i + 1])[0], each[i])
    levels = model.log_probabilities_of_levels(pixels)
    chosen = levels.gather(-1, pixels.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(chosen.sum((1, 2, 3)), each)


@pytest.mark.parametrize("encoder", WIDE, ids=["PixelCNN", "RowLSTM", "DiagonalBiLSTM"])
def test_each_channel_is_given_those_before_it(encoder):
    """Changing one value changes the probabilities of the next one, and of none before."""
    model = built(encoder, OUTPUTS["Softmax"], 3, readout=60)
    pixels = torch.randint(0, 3, (1, 2, 3, 3))
    with torch.no_grad():
        before = model.log_probabilities_of_levels(pixels).flatten(1, 3)[0]
        for place in range(18):
            changed = pixels.clone()
            changed.view(-1)[place] = (changed.view(-1)[place] + 1) % 3
            after = model.log_probabilities_of_levels(changed).flatten(1, 3)[0]
            differs = (after != before).any(dim=1)
            assert not differs[: place + 1].any()
            if place < 17:
                assert differs[place + 1]


def slowly_generated(model, shape, seed, temperature=1.0, given=None, known=None, classes=None):
    """A full pass over the images for every channel of every pixel."""
    n, height, width, channels = shape
    noise = GumbelNoise(seed, list(range(n)), model.levels)
    images = torch.zeros(shape, dtype=torch.int64)
    for row, column, channel in product(range(height), range(width), range(channels)):
        every = model.log_probabilities_of_levels(images, classes)[:, row, column, channel]
        drawn = (every + temperature * torch.from_numpy(noise.next())).argmax(-1)
        if known is not None:
            taken = given[:, row, column, channel]
            drawn = torch.where(known[:, row, column], taken, drawn)
        images[:, row, column, channel] = drawn
    return images


@pytest.mark.parametrize("temperature", [0.5, 0.0])
@torch.no_grad()
def test_generation_equals_a_full_pass_for_every_pixel(encoder, output, temperature):
    model = built(encoder, output, 3)
    images = model.generate(3, 4, 5, temperature=temperature, seed=7)
    assert images.dtype == torch.int64
    assert torch.equal(images, slowly_generated(model, (3, 4, 5, 3), 7, temperature))


@torch.no_grad()
def test_completion_keeps_what_is_known(encoder):
    model = built(encoder, OUTPUTS["Softmax"], 2)
    given, known = torch.randint(0, 3, (3, 4, 5, 2)), torch.rand(3, 4, 5) < 0.5
    images = model.generate(3, 4, 5, seed=7, given=given, known=known)
    assert torch.equal(images[known], given[known])
    slow = slowly_generated(model, (3, 4, 5, 2), 7, given=given, known=known)
    assert torch.equal(images, slow)


def test_an_image_depends_on_the_seed_and_its_number(encoder):
    model = built(encoder)
    many = model.generate(5, 4, 4, seed=3)
    assert torch.equal(model.generate(2, 4, 4, seed=3), many[:2])
    assert not torch.equal(model.generate(5, 4, 4, seed=4), many)
    assert not torch.equal(model.generate(5, 4, 4), model.generate(5, 4, 4))


def test_draws_are_as_frequent_as_they_are_probable():
    model = built(ENCODERS["DiagonalBiLSTM"])
    images = model.generate(4000, 1, 3, seed=0).flatten(1)
    every = every_image((1, 3, 1), 2)
    with torch.no_grad():
        want = model.log_probabilities(every).exp()
    got = (images.unsqueeze(1) == every.flatten(1)).all(-1).float().mean(0)
    torch.testing.assert_close(got, want, atol=0.03, rtol=0)


def test_classes_change_what_is_probable(encoder):
    model = built(encoder, labels=("0", "1", "2"))
    pixels, classes = torch.randint(0, 2, (3, 3, 4, 1)), torch.tensor([0, 2, 1])
    each = model.log_probabilities(pixels, classes)
    assert not torch.isclose(each, model.log_probabilities(pixels, classes.flip(0)))[0]
    images = model.generate(3, 3, 4, seed=1, classes=classes)
    with torch.no_grad():
        assert torch.equal(images, slowly_generated(model, (3, 3, 4, 1), 1, classes=classes))
    model.loss(pixels, classes).backward()
    assert model.classes.weight.grad.abs().sum(1).gt(0).all()


@pytest.mark.parametrize("encoder", WIDE, ids=["PixelCNN", "RowLSTM", "DiagonalBiLSTM"])
def test_learns(encoder):
    """A draughtboard, and its negative."""
    builder = ImageModelBuilder(encoder, Bernoulli())
    model = builder.build({"channels": 1, "levels": 2, "labels": []})
    board = (torch.arange(4).view(4, 1) + torch.arange(5)) % 2
    pixels = torch.stack([board, 1 - board]).unsqueeze(-1)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        loss = model.loss(pixels)
        loss.backward()
        optimizer.step()
    assert loss < 1.6  # log 2 for each: which of the two it is
    images = model.eval().generate(8, 4, 5, seed=0)
    assert all(any(torch.equal(image, pixel) for pixel in pixels) for image in images)


def test_runs_without_a_device(encoder):
    model = built(encoder, OUTPUTS["Logistic"], 3, labels=("a", "b")).to("meta").train()
    pixels = torch.empty(4, 3, 5, 3, dtype=torch.int64, device="meta")
    model.loss(pixels, torch.empty(4, dtype=torch.int64, device="meta")).backward()
    assert all(p.grad is not None for p in model.parameters())


def test_no_images(encoder):
    model = built(encoder)
    pixels = torch.empty(0, 3, 4, 1, dtype=torch.int64)
    assert model.log_probabilities(pixels).shape == (0,)
    model.loss(pixels).backward()
    assert model.generate(0, 3, 4).shape == (0, 3, 4, 1)


def test_copies_and_pickles_give_equal_probabilities(encoder):
    output, levels = OUTPUTS["Softmax"]
    model = built(encoder, OUTPUTS["Softmax"], 2)
    pixels = torch.randint(0, levels, (2, 3, 4, 2))
    want = model.log_probabilities(pixels)
    assert torch.equal(copy.deepcopy(model).log_probabilities(pixels), want)
    builder = pickle.loads(pickle.dumps(ImageModelBuilder(encoder, output, 6, 3, 6)))
    fresh = builder.build({"channels": 2, "levels": levels, "labels": []}).eval()
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(fresh.log_probabilities(pixels), want)


def test_bfloat16(encoder):
    model = built(encoder, OUTPUTS["Softmax"], 3)
    pixels = torch.randint(0, 3, (2, 3, 4, 3))
    with torch.autocast("cpu", torch.bfloat16):
        low = model.log_probabilities(pixels)
    torch.testing.assert_close(low, model.log_probabilities(pixels), atol=0.5, rtol=0.02)
