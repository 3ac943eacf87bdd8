"""The output against its equation, state by state."""

import numpy as np
import torch
from rnnpipe_acme.tied_projection import TiedProjection
from torch import nn


def test_probabilities_are_those_of_the_equation():
    embedding, x = nn.Parameter(torch.randn(5, 2)), torch.randn(3, 4)
    output = TiedProjection()(4, embedding)
    nn.init.normal_(output.bias)
    log_probabilities = output.log_probabilities(x)
    for state, got in zip(x, log_probabilities, strict=True):
        scores = embedding @ (output.projection.weight @ state) + output.bias
        torch.testing.assert_close(got.exp(), scores.exp() / scores.exp().sum())
    scores = output.score(x, np.array([4, 0, 2]))
    torch.testing.assert_close(scores, log_probabilities[[0, 1, 2], [4, 0, 2]])
