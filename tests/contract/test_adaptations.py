"""What every registered adaptation of a language model promises."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from helpers.building import build
from helpers.small_language_model import model, text

from rnnpipe.contracts.types import Adaptation, Text
from rnnpipe.parts.encoders.sequence.recurrent import GRU, LSTM


@pytest.fixture
def adaptation(adaptation_name):
    return build("adaptation", adaptation_name)


def scores_of(adaptation, network, one):
    with torch.no_grad():
        return adaptation.log_likelihoods(network.eval(), one)


def repetitive(n):
    symbols = np.tile([2, 5, 3, 6, 6], n)
    return Text(symbols[:-1], symbols[1:])


@pytest.mark.parametrize("length", [0, 1, 3, 30])
@pytest.mark.parametrize("encoder", [LSTM(width=7, depth=2), GRU(width=7)])
def test_every_target_has_a_score_and_the_model_stays_as_it_is(adaptation, length, encoder):
    network = model(encoder, max_length=8)
    before = copy.deepcopy(network.state_dict())
    assert isinstance(adaptation, Adaptation)
    first = scores_of(adaptation, network, text(length))
    assert first.shape == (length,) and first.dtype == np.float32
    assert np.isfinite(first).all()
    # Whatever was scored before, a document begins afresh.
    scores_of(adaptation, network, text(20, seed=1))
    np.testing.assert_array_equal(scores_of(adaptation, network, text(length)), first)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())


def test_probabilities_add_up_whatever_was_learnt(adaptation):
    network = model(max_length=8)
    total = 0.0
    for symbol in range(7):
        one = text(13)
        one.targets[-1] = symbol
        total += math.exp(scores_of(adaptation, network, one)[-1])
    assert total == pytest.approx(1.0, abs=1e-5)


def test_a_score_depends_on_nothing_that_comes_after(adaptation):
    network = model(max_length=8)
    one, two = text(13), text(13)
    two.targets[9:] = 0
    two.inputs[10:] = 0
    a, b = (scores_of(adaptation, network, x) for x in (one, two))
    np.testing.assert_allclose(a[:9], b[:9], atol=1e-6)


def test_repetitions_become_likely(adaptation):
    network = model()
    with torch.no_grad():
        (plain,) = network.eval().log_likelihoods([repetitive(60)])
    assert scores_of(adaptation, network, repetitive(60)).mean() > plain.mean() + 0.05


def test_copies_and_pickles_score_alike(adaptation):
    want = scores_of(adaptation, model(), text(10))
    for other in (copy.deepcopy(adaptation), pickle.loads(pickle.dumps(adaptation))):
        np.testing.assert_array_equal(scores_of(other, model(), text(10)), want)
