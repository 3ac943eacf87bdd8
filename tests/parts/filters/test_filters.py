"""Filters of the next symbol, each against its definition, symbol by symbol."""

import math

import pytest
import torch
from helpers.toy_models import Letters
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.contracts.registry import filters
from rnnpipe.errors import ConfigError

SIZE = 6


def build(name, **values):
    return filters.get(f"rnnpipe.{name}.v1")(**values)(Letters(SIZE))


def kept(scores):
    return {i for i, score in enumerate(scores.tolist()) if score > -math.inf}


def smallest_set(order, probabilities, mass):
    """The first symbols of an order whose probabilities reach a mass."""
    total, chosen = 0.0, set()
    for symbol in order:
        if chosen and total >= mass:
            break
        chosen.add(symbol)
        total += probabilities[symbol]
    return chosen


def by_definition(name, value, log_p, history):
    p = log_p.exp().tolist()
    symbols = range(len(p))
    if name == "TopK":
        return set(sorted(symbols, key=lambda s: -p[s])[:value])
    if name == "TopP":
        return smallest_set(sorted(symbols, key=lambda s: -p[s]), p, value)
    if name == "MinP":
        return {s for s in symbols if p[s] >= value * max(p)}
    if name == "Typical":
        entropy = -sum(q * math.log(q) for q in p if q)
        return smallest_set(sorted(symbols, key=lambda s: abs(-math.log(p[s]) - entropy)), p, value)
    assert name == "NoRepeat"
    grams = {tuple(history[i : i + value]) for i in range(len(history) - value + 1)}
    begun = tuple(history[len(history) - value + 1 :])
    return {s for s in symbols if len(history) < value or (*begun, s) not in grams}


SETTINGS = [
    ("TopK", "k", st.integers(1, SIZE)),
    ("TopP", "p", st.floats(0.01, 0.99)),
    ("MinP", "p", st.floats(0.01, 0.99)),
    ("Typical", "p", st.floats(0.01, 0.99)),
    ("NoRepeat", "n", st.integers(1, 4)),
]


@pytest.mark.parametrize(("name", "setting", "values"), SETTINGS, ids=[s[0] for s in SETTINGS])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_kept(name, setting, values, data):
    value = data.draw(values)
    seed = data.draw(st.integers(0, 10**6))
    history = data.draw(st.lists(st.integers(0, SIZE - 1), max_size=8))
    generator = torch.Generator().manual_seed(seed)
    log_p = torch.randn(SIZE, generator=generator, dtype=torch.float64).mul(2).log_softmax(-1)
    left = build(name, **{setting: value})(log_p, torch.tensor(history, dtype=torch.int64))
    assert kept(left) == by_definition(name, value, log_p, history)
    for symbol in kept(left):
        assert left[symbol] == log_p[symbol]


def test_top_p_of_one_keeps_all_and_of_almost_nothing_one():
    log_p = torch.tensor([0.1, 0.4, 0.2, 0.1, 0.1, 0.1], dtype=torch.float64).log()
    history = torch.zeros(0, dtype=torch.int64)
    assert kept(build("TopP", p=1.0)(log_p, history)) == set(range(SIZE))
    assert kept(build("TopP", p=1e-9)(log_p, history)) == {1}
    assert kept(build("Typical", p=1e-9)(log_p, history)) != set()


def test_top_p_counts_what_earlier_filters_left():
    log_p = torch.tensor([0.4, 0.3, 0.15, 0.1, 0.05, 0.0]).log()
    history = torch.zeros(0, dtype=torch.int64)
    left = build("TopP", p=0.5)(build("TopK", k=2)(log_p, history), history)
    assert kept(left) == {0}  # 0.4 / (0.4 + 0.3) reaches one half


def test_repetition_lowers_what_the_text_holds():
    log_p = torch.tensor([0.4, 0.3, 0.15, 0.1, 0.04, 0.01]).log()
    changed = build("RepetitionPenalty", penalty=2.0)(log_p, torch.tensor([1, 3, 1]))
    torch.testing.assert_close(changed[[1, 3]].exp(), torch.tensor([0.09, 0.01]))
    torch.testing.assert_close(changed[[0, 2, 4, 5]], log_p[[0, 2, 4, 5]])


def test_forbidden_phrases():
    keep = build("Forbidden", phrases=["b", "acd", [4, 4]])
    log_p = torch.full((SIZE,), 1 / SIZE).log()
    assert kept(keep(log_p, torch.tensor([], dtype=torch.int64))) == {0, 2, 3, 4, 5}
    assert kept(keep(log_p, torch.tensor([5, 0, 2]))) == {0, 2, 4, 5}
    assert kept(keep(log_p, torch.tensor([0, 2, 4]))) == {0, 2, 3, 5}


def test_a_forced_beginning():
    keep = build("Forced", phrase="cab")
    log_p = torch.full((SIZE,), 1 / SIZE).log()
    text: list[int] = []
    for symbol in [2, 0, 1]:
        assert kept(keep(log_p, torch.tensor(text, dtype=torch.int64))) == {symbol}
        text.append(symbol)
    assert kept(keep(log_p, torch.tensor(text))) == set(range(SIZE))


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("TopK", {"k": 0}, "rnnpipe.TopK.v1.k: expected an integer greater than 0, got 0."),
        (
            "TopK",
            {"k": 7},
            (
                "rnnpipe.TopK.v1.k: expected at most the number of symbols (6), got 7. "
                "Lower k or remove it."
            ),
        ),
        (
            "TopP",
            {"p": 0.0},
            "rnnpipe.TopP.v1.p: expected a number greater than 0 and at most 1, got 0.0.",
        ),
        (
            "TopP",
            {"p": 1.01},
            "rnnpipe.TopP.v1.p: expected a number greater than 0 and at most 1, got 1.01.",
        ),
        (
            "Typical",
            {"p": float("nan")},
            "rnnpipe.Typical.v1.p: expected a number greater than 0 and at most 1, got nan.",
        ),
        (
            "RepetitionPenalty",
            {"penalty": 0.9},
            "rnnpipe.RepetitionPenalty.v1.penalty: expected a number of at least 1, got 0.9.",
        ),
        (
            "Forced",
            {"phrase": ""},
            "rnnpipe.Forced.v1.phrase: expected at least one symbol, got ''.",
        ),
        (
            "Forbidden",
            {"phrases": [[0], [6]]},
            (
                "rnnpipe.Forbidden.v1.phrases: expected symbols below 6, the number of symbols "
                "of the model, got [6]."
            ),
        ),
        (
            "Forbidden",
            {"phrases": ["a", "b", "c", "d", "e", "f"]},
            (
                "rnnpipe.Forbidden.v1.phrases: expected fewer than all symbols of the model, got "
                "['a', 'b', 'c', 'd', 'e', 'f']. Allow at least one symbol."
            ),
        ),
    ],
)
def test_bad_settings(name, values, message):
    with pytest.raises(ConfigError) as caught:
        build(name, **values)
    assert str(caught.value) == message
