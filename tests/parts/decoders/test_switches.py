"""Generators and chains exactly where their limits are."""

import pytest
import torch
from helpers.chain_oracle import random_chain
from helpers.toy_models import Letters

from rnnpipe.contracts.registry import decoders
from rnnpipe.errors import SettingsError
from rnnpipe.parts.decoders.chain.search import n_best

START = torch.tensor([0])


class Always:
    """The same probabilities after any text."""

    def __init__(self, *probabilities):
        self.scores = torch.tensor(probabilities).log()
        self.steps = 0

    def begin(self, batch_size):
        return torch.zeros(batch_size)

    def advance(self, symbols, state):
        self.steps += 1
        return self.scores.expand(len(symbols), -1), state

    def reorder(self, state, rows):
        return state[rows]


def generate(name, model, ends=True, **values):
    alphabet = Letters(len(model.scores), ends)
    generator = decoders.get(f"rnnpipe.{name}.v1")(**values).generator(alphabet)
    return [(text.symbols, text.ended) for text in generator.generate(model, START)[0]]


WAYS = [("Sampler", {"temperature": 0.0}), ("Beam", {"beam_size": 1}), ("Beam", {"beam_size": 3})]


@pytest.mark.parametrize(("name", "values"), WAYS)
@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_text_ends_as_soon_as_it_may(name, values, length):
    """Of a model that would end every text at once."""
    limits = {**values, "min_length": length, "max_length": length + 1}
    model = Always(0.2, 0.1, 0.7)
    assert generate(name, model, **limits) == [([0] * length, "end")]
    assert model.steps == length + 1
    # There is no room for the end symbol, which counts, where the lengths are the same.
    limits["max_length"] = length
    assert generate(name, Always(0.2, 0.1, 0.7), **limits) == [([0] * length, "length")]


@pytest.mark.parametrize(("name", "values"), WAYS)
@pytest.mark.parametrize(
    ("stop", "min_length", "length"),
    [
        ("a", 0, 1),
        ("a", 1, 1),
        ("a", 3, 3),
        ("aa", 0, 2),  # the text is nothing but the phrase
        ("aaa", 2, 3),
    ],
)
def test_a_stop_phrase_ends_a_text_of_the_least_length(name, values, stop, min_length, length):
    model = Always(0.98, 0.01, 0.01)
    limits = {**values, "stop": [stop], "min_length": min_length, "max_length": 9}
    assert generate(name, model, **limits) == [([0] * length, "stop")]


@pytest.mark.parametrize(("name", "values"), WAYS)
def test_a_stop_phrase_at_the_most_length(name, values):
    model = Always(0.98, 0.01, 0.01)
    limits = {**values, "stop": ["aaa"], "max_length": 3}
    assert generate(name, model, **limits) == [([0, 0, 0], "stop")]
    assert generate(name, model, **{**limits, "max_length": 2}) == [([0, 0], "length")]


@pytest.mark.parametrize("name", ["Beam", "StochasticBeam"])
def test_as_many_texts_as_there_are(name):
    width = {"beam_size": 3, "n_best": 3} if name == "Beam" else {"n_samples": 3, "seed": 0}
    model = Always(0.5, 0.3, 0.2)
    texts = generate(name, model, ends=False, max_length=1, **width)
    assert sorted(symbols for symbols, _ in texts) == [[0], [1], [2]]
    too_many = {setting: value + 1 for setting, value in width.items()}
    with pytest.raises(SettingsError, match=r"at most the number of symbols \(3\), got 4"):
        generate(name, model, ends=False, max_length=1, **too_many)


def test_more_texts_than_there_are():
    """At two symbols there are three texts, and no more: the end, and one before it."""
    texts = generate("Beam", Always(0.4, 0.6, 0.0, 0.0), beam_size=4, n_best=4, max_length=1)
    assert texts == [([1], "length"), ([0], "length")]


def test_a_beam_stops_where_nothing_can_become_better():
    """Also nothing as good: the end is as likely as the one symbol that could be gone on with."""
    model = Always(0.5, 0.5)
    assert generate("Beam", model, beam_size=2, max_length=50) == [([], "end")]
    assert model.steps == 1


@pytest.mark.parametrize("n_groups", [1, 2])
def test_diverse_groups_of_one(n_groups):
    values = {"n_groups": n_groups, "beam_size": 1, "max_length": 1, "diversity": 9.0}
    texts = generate("DiverseBeam", Always(0.5, 0.3, 0.2), ends=False, **values)
    assert [symbols for symbols, _ in texts] == [[0], [1]][:n_groups]


def test_a_phrase_as_long_as_a_text():
    model = Always(0.4, 0.3, 0.3)
    values = {"phrases": ["ba"], "beam_size": 1}
    texts = generate("ConstrainedBeam", model, ends=False, max_length=2, **values)
    assert texts == [([1, 0], "length")]
    with pytest.raises(SettingsError, match=r"at most max_length \(1\) symbols"):
        generate("ConstrainedBeam", model, ends=False, max_length=1, **values)


def test_a_phrase_of_the_last_symbol():
    model = Always(0.4, 0.3, 0.3)
    for symbol in ("c", [2]):
        values = {"phrases": [symbol], "beam_size": 1, "max_length": 1}
        assert generate("ConstrainedBeam", model, ends=False, **values) == [([2], "length")]
    with pytest.raises(SettingsError, match="symbols below 3"):
        generate("ConstrainedBeam", model, ends=False, phrases=[[3]], beam_size=1)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_as_many_sequences_as_there_are(extra):
    chain = random_chain([3], 2)
    paths, logs = n_best(chain, 8 + extra)
    possible = logs[0] > -torch.inf
    assert possible.tolist() == [True] * min(8, 8 + extra) + [False] * max(0, extra)
    assert len({tuple(path) for path in paths[0, possible].tolist()}) == min(8, 8 + extra)
    total = float(logs[0].exp().sum())
    assert total < 1 - 1e-9 if extra < 0 else total == pytest.approx(1.0)
    assert not paths[0, ~possible].any()
