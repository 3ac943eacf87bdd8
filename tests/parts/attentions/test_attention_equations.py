"""The equations of our attentions, and what they refuse."""

import pytest
import torch

from rnnpipe.errors import SettingsError
from rnnpipe.parts.attentions import additive
from rnnpipe.parts.attentions.dot import Dot
from rnnpipe.parts.attentions.general import General


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_the_equations():
    q, s = random(4), random(4, seed=1)

    def score(attention):
        return float(attention.scores(q.view(1, 1, 4), attention.keys(s.view(1, 1, 4))))

    assert score(Dot()(4, 4)) == pytest.approx(float(q @ s), abs=1e-5)
    general = General()(4, 4)
    assert score(general) == pytest.approx(float(q @ (general.key.weight @ s)), abs=1e-5)
    add = additive.Additive(width=3)(4, 4)
    hidden = torch.tanh(add.query.weight @ q + add.key.weight @ s + add.key.bias)
    assert score(add) == pytest.approx(float(add.score.weight @ hidden), abs=1e-5)


def test_states_of_other_widths():
    for builder in (General(), additive.Additive(width=3)):
        attention = builder(5, 7)
        assert attention.scores(random(2, 3, 5), attention.keys(random(2, 4, 7))).shape == (2, 3, 4)
    text = r"attention: expected a decoder whose states are as wide as the encoder's \(7\), got 5"
    with pytest.raises(SettingsError, match=text):
        Dot()(5, 7)


def test_additive_attention_of_many_steps_is_computed_in_parts(monkeypatch):
    torch.manual_seed(0)
    attention = additive.Additive(width=3)(6, 6)
    results = []
    for most in (2**24, 2 * 5 * 3 * 4):  # four steps at once
        monkeypatch.setattr(additive, "_MANY", most)
        queries, states = random(2, 9, 6).requires_grad_(), random(2, 5, 6, seed=1)
        attention.zero_grad()
        scores = attention.scores(queries, attention.keys(states))
        (scores * random(2, 9, 5, seed=2)).sum().backward()
        gradients = [p.grad.clone() for p in attention.parameters()]
        results.append([scores.detach(), queries.grad, *gradients])
    for whole, parts in zip(*results, strict=True):
        torch.testing.assert_close(whole, parts)
