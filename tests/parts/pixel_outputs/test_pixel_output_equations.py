"""Outputs of models of images: their equations, and levels that they cannot give."""

import pytest
import torch

from rnnpipe.errors import SettingsError
from rnnpipe.parts.pixel_outputs.bernoulli import Bernoulli
from rnnpipe.parts.pixel_outputs.logistic import DiscretizedLogisticMixture
from rnnpipe.parts.pixel_outputs.softmax import Softmax


def test_bernoulli_is_a_sigmoid():
    output = Bernoulli()(4, 1, 2)
    x = torch.randn(3, 4)
    p = torch.sigmoid(x @ output.logit.weight + output.logit.bias)
    got = output.log_probabilities(x).exp()[:, 0]
    torch.testing.assert_close(got, torch.cat([1 - p, p], dim=1))


def test_bernoulli_has_two_levels():
    with pytest.raises(SettingsError) as error:
        Bernoulli()(4, 1, 17)
    assert str(error.value) == (
        "output: expected images of 2 levels, got 17. Use rnnpipe.Softmax.v1, or binarise the "
        "images."
    )


def test_softmax_of_each_channel():
    output = Softmax()(4, 2, 3)
    x = torch.randn(5, 4)
    logits = x @ (output.logits.weight * output.logits.mask) + output.logits.bias
    got = output.log_probabilities(x)
    for channel in range(2):
        want = torch.stack([logits[:, 2 * level + channel] for level in range(3)], dim=1)
        torch.testing.assert_close(got[:, channel], want.log_softmax(-1))


def by_the_equation(output, x):
    """The mixture of differences of sigmas, level by level, in float64."""
    parts = (x @ output.parts.weight + output.parts.bias).view(3, output.mixtures)
    weight, mean, log_scale = parts[0].softmax(0), parts[1], parts[2].clamp(-7, 7)
    n = output.levels
    probabilities = []
    for level in range(n):
        v, half = 2 * level / (n - 1) - 1, 1 / (n - 1)
        upper = torch.sigmoid((v + half - mean) / log_scale.exp())
        lower = torch.sigmoid((v - half - mean) / log_scale.exp())
        upper = torch.ones_like(upper) if level == n - 1 else upper
        lower = torch.zeros_like(lower) if level == 0 else lower
        probabilities.append((weight * (upper - lower)).sum())
    return torch.stack(probabilities)


@pytest.mark.parametrize("levels", [2, 3, 16, 256])
def test_logistic_mixture_by_its_equation(levels):
    output = DiscretizedLogisticMixture(mixtures=3)(4, 1, levels).double()
    x = torch.randn(4, dtype=torch.float64)
    got = output.log_probabilities(x)[0].double()
    torch.testing.assert_close(got.exp(), by_the_equation(output, x), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("size", [1.0, 30.0, 1000.0])
def test_logistic_mixture_stays_finite_far_from_its_means(size):
    output = DiscretizedLogisticMixture(mixtures=2)(4, 3, 256)
    x = (size * torch.randn(6, 4)).requires_grad_()
    every = output.log_probabilities(x)
    assert every.isfinite().all()
    torch.testing.assert_close(every.exp().sum(-1), torch.ones(6, 3), atol=1e-4, rtol=0)
    every.sum().backward()
    assert x.grad.isfinite().all()


def test_means_begin_all_over_the_range():
    output = DiscretizedLogisticMixture(mixtures=5)(4, 2, 16)
    means = output.parts.bias.view(3, 5, 2)[1]
    assert means.min() < -0.6
    assert means.max() > 0.6
