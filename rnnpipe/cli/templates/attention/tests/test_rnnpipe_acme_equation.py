"""The attention against its equation, pair by pair."""

import torch
from rnnpipe_acme.scaled_dot import ScaledDot


def test_scores_are_those_of_the_equation():
    attention = ScaledDot(width=4)(3, 5)
    queries, states = torch.randn(1, 2, 3), torch.randn(1, 6, 5)
    scores = attention.scores(queries, attention.keys(states))
    for t, query in enumerate(queries[0]):
        for i, state in enumerate(states[0]):
            want = (attention.query.weight @ query) @ (attention.key.weight @ state) / 2
            torch.testing.assert_close(scores[0, t, i], want)
