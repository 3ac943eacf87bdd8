"""What every registered attention promises."""

import copy
import pickle

import pytest
import torch
from building import build


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def attention(attention_name):
    torch.manual_seed(0)
    return build("attention", attention_name)(6, 6)


def test_every_pair_is_scored_by_itself(attention):
    queries, states = random(3, 4, 6), random(3, 5, 6, seed=1)
    scores = attention.scores(queries, attention.keys(states))
    assert scores.shape == (3, 4, 5)
    for b, t, j in [(0, 0, 0), (2, 3, 1), (1, 2, 4)]:
        keys = attention.keys(states[b : b + 1, j : j + 1])
        alone = attention.scores(queries[b : b + 1, t : t + 1], keys)
        torch.testing.assert_close(alone.squeeze(), scores[b, t, j])


def test_nothing_to_look_at(attention):
    assert attention.scores(random(2, 3, 6), attention.keys(random(2, 0, 6))).shape == (2, 3, 0)
    assert attention.scores(random(2, 0, 6), attention.keys(random(2, 3, 6))).shape == (2, 0, 3)


def test_copies_score_alike(attention):
    queries, states = random(1, 2, 6), random(1, 3, 6, seed=1)
    want = attention.scores(queries, attention.keys(states))
    for again in (copy.deepcopy(attention), pickle.loads(pickle.dumps(attention))):
        torch.testing.assert_close(again.scores(queries, again.keys(states)), want)


def test_gradients_reach_both_sides(attention):
    queries, states = random(2, 3, 6).requires_grad_(), random(2, 4, 6, seed=1).requires_grad_()
    attention.scores(queries, attention.keys(states)).square().sum().backward()
    assert (queries.grad.abs().sum(-1) > 0).all() and (states.grad.abs().sum(-1) > 0).all()


def test_runs_without_a_device(attention_name):
    attention = build("attention", attention_name)(6, 6).to("meta")
    with torch.device("meta"):
        queries = torch.randn(2, 3, 6, requires_grad=True)
        states = torch.randn(2, 4, 6, requires_grad=True)
        attention.scores(queries, attention.keys(states)).sum().backward()
        assert queries.grad.shape == queries.shape and states.grad.shape == states.shape
