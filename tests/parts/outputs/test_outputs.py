"""What every output layer of a language model promises."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from rnnpipe.contracts.types import OutputBuilder
from rnnpipe.errors import SettingsError
from rnnpipe.parts.outputs.adaptive import AdaptiveSoftmax
from rnnpipe.parts.outputs.full import FullSoftmax, TiedSoftmax
from rnnpipe.parts.outputs.sampled import SampledSoftmax

WIDTH, SIZE = 8, 11
BUILDERS = {
    "full": FullSoftmax,
    "tied": TiedSoftmax,
    "adaptive": lambda: AdaptiveSoftmax(cutoffs=[3, 6], reduction=2),
    "sampled": lambda: SampledSoftmax(samples=4),
    "sampled, tied": lambda: SampledSoftmax(samples=4, tied=True),
    "adaptive, one cluster": lambda: AdaptiveSoftmax(cutoffs=[10]),
}


@pytest.fixture(params=BUILDERS)
def builder(request):
    builder = BUILDERS[request.param]()
    assert isinstance(builder, OutputBuilder)
    return builder


def embedding(size=SIZE, width=WIDTH):
    return nn.Parameter(torch.randn(size, width, generator=torch.Generator().manual_seed(0)))


def test_probabilities_add_up_and_scores_are_among_them(builder):
    output = builder(WIDTH, embedding()).eval()
    x = torch.randn(20, WIDTH)
    targets = np.arange(20) % SIZE
    every = output.log_probabilities(x)
    assert every.shape == (20, SIZE)
    torch.testing.assert_close(every.exp().sum(-1), torch.ones(20))
    torch.testing.assert_close(output.score(x, targets), every[torch.arange(20), targets])


def test_symbols_of_one_kind_only(builder):
    output = builder(WIDTH, embedding()).eval()
    x = torch.randn(2, WIDTH)
    for symbol in (0, SIZE - 1):
        targets = np.array([symbol, symbol])
        expected = output.log_probabilities(x)[:, symbol]
        torch.testing.assert_close(output.score(x, targets), expected)
    assert output.score(x[:0], np.zeros(0, dtype=np.int64)).shape == (0,)


def test_gradients_reach_every_weight_and_never_the_host(builder):
    with torch.device("meta"):
        output = builder(WIDTH, nn.Parameter(torch.empty(SIZE, WIDTH)))
        x = torch.randn(SIZE, WIDTH, requires_grad=True)
    output.train().score(x, np.arange(SIZE)).sum().backward()
    assert x.grad is not None
    assert all(weight.grad is not None for weight in output.parameters())


def test_tied_weights_are_the_embedding():
    weight = embedding()
    assert TiedSoftmax()(WIDTH, weight).weight is weight
    text = r"width: expected an embedding as wide as the states of the encoder \(6\), .* got 8."
    with pytest.raises(SettingsError, match=text):
        TiedSoftmax()(6, weight)


@pytest.mark.parametrize("cutoffs", [[], [5, 3], [3, 3]])
def test_cutoffs_that_do_not_grow(cutoffs):
    with pytest.raises(SettingsError, match="cutoffs: expected numbers of symbols in increasing "):
        AdaptiveSoftmax(cutoffs=cutoffs)


def test_cutoffs_beyond_the_symbols():
    text = r"cutoffs: expected numbers below the number of symbols \(11\), got \[3, 11\]."
    with pytest.raises(SettingsError, match=text):
        AdaptiveSoftmax(cutoffs=[3, 11])(WIDTH, embedding())


@torch.no_grad()
def test_adaptive_softmax_by_its_equation():
    output = AdaptiveSoftmax(cutoffs=[3, 6], reduction=2)(WIDTH, embedding())
    x = torch.randn(1, WIDTH)
    head = output.head(x).softmax(-1)[0]
    within = output.tails[1](x).softmax(-1)[0]
    want = math.log(float(head[4]) * float(within[2]))
    assert float(output.score(x, np.array([8]))) == pytest.approx(want, abs=1e-5)
    assert [tail[0].out_features for tail in output.tails] == [4, 2]


@torch.no_grad()
@pytest.mark.parametrize("tied", [True, False])
def test_a_sampled_normaliser_is_right_on_average(tied):
    torch.manual_seed(0)
    output = SampledSoftmax(samples=5, tied=tied)(WIDTH, embedding()).train()
    output.bias += torch.randn(SIZE)
    x, targets = torch.randn(SIZE, WIDTH), np.arange(SIZE)
    logits = output.logits(x)
    own = logits.diagonal()
    estimates = [(own - output.score(x, targets)).exp() for _ in range(4000)]
    mean, spread = torch.stack(estimates).mean(0), torch.stack(estimates).std(0)
    want = logits.exp().sum(-1)
    assert ((mean - want).abs() < 5 * spread / math.sqrt(4000)).all()
    assert (spread > 0.01 * want).all()  # it is an estimate
    exact = output.eval().score(x, targets)
    torch.testing.assert_close(exact, own - want.log())


def test_many_samples_are_the_full_softmax():
    torch.manual_seed(0)
    output = SampledSoftmax(samples=200_000)(WIDTH, embedding()).train()
    x, targets = torch.randn(SIZE, WIDTH), np.arange(SIZE)
    gradients = []
    for training in (True, False):
        loss = output.train(training).score(x, targets).sum()
        gradients.append(torch.autograd.grad(loss, [output.weight, output.bias]))
    for sampled, full in zip(*gradients, strict=True):
        torch.testing.assert_close(sampled, full, atol=0.05, rtol=0.05)
