"""What every registered output of a language model promises."""

import copy
import pickle

import numpy as np
import pytest
import torch
from building import build
from torch import nn

from rnnpipe.types import OutputBuilder

WIDTH, SIZE = 8, 11


def embedding():
    return nn.Parameter(torch.randn(SIZE, WIDTH, generator=torch.Generator().manual_seed(0)))


def make(name):
    torch.manual_seed(1)
    builder = build("output", name)
    assert isinstance(builder, OutputBuilder)
    return builder(WIDTH, embedding())


@pytest.fixture
def output(output_name):
    return make(output_name).eval()


def test_probabilities_add_up_and_scores_are_among_them(output):
    x, targets = torch.randn(20, WIDTH), np.arange(20) % SIZE
    every = output.log_probabilities(x)
    assert every.shape == (20, SIZE)
    torch.testing.assert_close(every.exp().sum(-1), torch.ones(20))
    torch.testing.assert_close(output.score(x, targets), every[torch.arange(20), targets])


@torch.no_grad()
def test_a_score_depends_on_nothing_else_in_the_batch(output):
    x, targets = torch.randn(6, WIDTH), np.array([0, 10, 3, 3, 7, 1])
    together = output.score(x, targets)
    for i in range(6):
        alone = output.score(x[i : i + 1], targets[i : i + 1])
        torch.testing.assert_close(alone[0], together[i], atol=1e-5, rtol=0)
    assert output.score(x[:0], targets[:0]).shape == (0,)


def test_training_makes_targets_more_likely(output):
    x, targets = torch.randn(5, WIDTH), np.array([0, 2, 4, 8, 10])
    first = float(output.score(x, targets).sum().detach())
    optimizer = torch.optim.Adam(output.parameters(), 0.1)
    for _ in range(40):
        optimizer.zero_grad()
        (-output.train().score(x, targets).sum()).backward()
        optimizer.step()
    assert float(output.eval().score(x, targets).sum().detach()) > 0.5 * first


def test_a_training_step_never_waits_for_the_device(output_name):
    with torch.device("meta"):
        output = build("output", output_name)(WIDTH, nn.Parameter(torch.empty(SIZE, WIDTH)))
        x = torch.randn(SIZE, WIDTH, requires_grad=True)
    output.train().score(x, np.arange(SIZE)).sum().backward()
    assert x.grad is not None
    assert all(weight.grad is not None for weight in output.parameters())


def test_scores_are_float32_in_bfloat16_too(output):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x = torch.randn(3, WIDTH).bfloat16()
        assert output.score(x, np.arange(3)).dtype == torch.float32
        assert output.log_probabilities(x).dtype == torch.float32


def test_copies_and_pickles_score_alike(output, output_name):
    x, targets = torch.randn(4, WIDTH), np.arange(4)
    want = output.score(x, targets)
    for other in (copy.deepcopy(output), pickle.loads(pickle.dumps(output))):
        assert torch.equal(other.score(x, targets), want)
    again = pickle.loads(pickle.dumps(build("output", output_name)))(WIDTH, embedding()).eval()
    again.load_state_dict(output.state_dict())
    torch.testing.assert_close(again.score(x, targets), want)


def test_parameters_have_names_that_thinc_does_not_use(output):
    last = {name.rpartition(".")[2] for name, _ in output.named_parameters()}
    assert last.isdisjoint({"W", "b", "E"})


def test_same_seed_same_weights(output_name):
    first, second = make(output_name).state_dict(), make(output_name).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
