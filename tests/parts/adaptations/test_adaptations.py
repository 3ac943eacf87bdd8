"""A neural cache and dynamic evaluation, by their equations."""

import copy
import math

import numpy as np
import pytest
import torch
from helpers.small_language_model import model, text

from rnnpipe.contracts.types import Text
from rnnpipe.parts.adaptations.dynamic_evaluation import DynamicEvaluation
from rnnpipe.parts.adaptations.neural_cache import NeuralCache
from rnnpipe.parts.encoders.sequence.recurrent import GRU
from rnnpipe.parts.outputs.adaptive import AdaptiveSoftmax


def scores_of(adaptation, network, one):
    with torch.no_grad():
        return adaptation.log_likelihoods(network.eval(), one)


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
