"""A neural cache and dynamic evaluation, and what every adaptation promises."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from small_language_model import model, text

from rnnpipe.adaptations.dynamic_evaluation import DynamicEvaluation
from rnnpipe.adaptations.neural_cache import NeuralCache
from rnnpipe.encoders.recurrent import GRU, LSTM
from rnnpipe.language_model import Text
from rnnpipe.outputs.adaptive import AdaptiveSoftmax
from rnnpipe.types import Adaptation

ADAPTATIONS = {
    "cache": NeuralCache(size=5, share=0.3, sharpness=2.0),
    "dynamic": DynamicEvaluation(segment=4),
}


@pytest.fixture(params=ADAPTATIONS)
def adaptation(request):
    return ADAPTATIONS[request.param]


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


@pytest.mark.parametrize("max_length", [3, 4, 100])
def test_the_cache_by_its_equation(max_length):
    size, share, sharpness = 5, 0.3, 2.0
    network, one = model(GRU(width=7), max_length=max_length).eval(), text(17)
    with torch.no_grad():
        state, want, states = network.encoder.start(1), [], []
        for t, symbol in enumerate(one.inputs):
            h, state = network.encoder.step(network.embedding.weight[symbol][None], state)
            p = float(network.output.log_probabilities(h)[0, one.targets[t]].exp())
            past = range(max(0, t - size), t)
            weights = {i: math.exp(sharpness * float(h[0] @ states[i])) for i in past}
            if weights:
                hits = sum(w for i, w in weights.items() if one.targets[i] == one.targets[t])
                p = (1 - share) * p + share * hits / sum(weights.values())
            want.append(math.log(p))
            states.append(h[0])
    got = scores_of(NeuralCache(size=size, share=share, sharpness=sharpness), network, one)
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_dynamic_evaluation_step_by_step():
    rate, decay, clip = 0.5, 0.1, 0.01
    network, one = model(output=AdaptiveSoftmax(cutoffs=[6])).eval(), text(9)
    learner, want, state = copy.deepcopy(network), [], None
    for begin in range(0, 9, 3):
        part = Text(one.inputs[begin : begin + 3], one.targets[begin : begin + 3])
        state = learner.encoder.start(1) if state is None else state
        scores, encoded = learner.score(part, state)
        want.extend(scores.tolist())
        learner.zero_grad()
        (-scores.mean()).backward()
        state = tuple(tuple(s.detach() for s in layer) for layer in encoded.state)
        trained = [p for p in learner.parameters() if p.grad is not None]
        norm = torch.cat([p.grad.flatten() for p in trained]).norm()
        assert norm > clip
        for weight, first in zip(learner.parameters(), network.parameters(), strict=True):
            if weight.grad is not None:
                back = decay * (first - weight)
                weight.data += back.detach() - rate * weight.grad * clip / norm
    adaptation = DynamicEvaluation(learn_rate=rate, decay=decay, segment=3, clip=clip)
    np.testing.assert_allclose(scores_of(adaptation, network, one), want, atol=1e-5)
