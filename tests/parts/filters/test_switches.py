"""Filters exactly where they begin to exclude a symbol."""

import math

import pytest
import torch
from helpers.toy_models import Letters

from rnnpipe.contracts.registry import filters

NOTHING = torch.zeros(0, dtype=torch.int64)
HALVES = [0.5, 0.5, 0.0, 0.0]
QUARTERS = [0.25, 0.25, 0.25, 0.25]


def kept(name, probabilities, history=NOTHING, **values):
    """The symbols that a filter leaves."""
    keep = filters.get(f"rnnpipe.{name}.v1")(**values)(Letters(len(probabilities)))
    left = keep(torch.tensor(probabilities).log(), torch.as_tensor(history)).tolist()
    return [symbol for symbol, score in enumerate(left) if score > -math.inf]


@pytest.mark.parametrize("name", ["TopP", "Typical"])
@pytest.mark.parametrize(
    ("probabilities", "p", "symbols"),
    [
        (HALVES, 0.5, [0]),  # one is enough: half is half or more
        (HALVES, 0.5 + 1e-6, [0, 1]),
        (HALVES, 1.0, [0, 1]),
        (QUARTERS, 0.25, [0]),
        (QUARTERS, 0.5, [0, 1]),
        (QUARTERS, 0.75, [0, 1, 2]),
        (QUARTERS, 1.0, [0, 1, 2, 3]),
    ],
)
def test_the_fewest_symbols_that_reach_a_share(name, probabilities, p, symbols):
    assert kept(name, probabilities, p=p) == symbols


@pytest.mark.parametrize(
    ("probabilities", "p", "symbols"),
    [
        (HALVES, 1.0, [0, 1]),  # the most likely symbols, all of them
        ([0.5, 0.25, 0.25, 0.0], 1.0, [0]),
        ([0.5, 0.25, 0.125, 0.125], 0.5, [0, 1]),
        ([0.5, 0.25, 0.125, 0.125], 0.25, [0, 1, 2, 3]),
        ([0.5, 0.25, 0.125, 0.125], 0.5 + 1e-6, [0]),
    ],
)
def test_a_symbol_exactly_p_times_as_likely_is_kept(probabilities, p, symbols):
    assert kept("MinP", probabilities, p=p) == symbols


@pytest.mark.parametrize(("k", "symbols"), [(1, [1]), (3, [0, 1, 3]), (4, [0, 1, 2, 3])])
def test_up_to_all_symbols(k, symbols):
    assert kept("TopK", [0.2, 0.4, 0.1, 0.3], k=k) == symbols


@pytest.mark.parametrize(
    ("n", "history", "symbols"),
    [
        (1, [], [0, 1, 2, 3]),
        (1, [2], [0, 1, 3]),
        (2, [2], [0, 1, 2, 3]),
        (2, [2, 2], [0, 1, 3]),  # as long as what must not come twice
        (3, [2, 2], [0, 1, 2, 3]),
        (3, [2, 2, 2], [0, 1, 3]),
    ],
)
def test_what_may_come_once_has_come(n, history, symbols):
    history = torch.tensor(history, dtype=torch.int64)
    assert kept("NoRepeat", QUARTERS, history, n=n) == symbols


@pytest.mark.parametrize(
    ("phrase", "history", "symbols"),
    [
        ([3], [], [0, 1, 2]),  # the last symbol that there is
        ([0, 3], [], [0, 1, 2, 3]),
        ([0, 3], [0], [0, 1, 2]),  # nothing but the phrase
        ([1, 0, 3], [0], [0, 1, 2, 3]),
        ([1, 0, 3], [1, 0], [0, 1, 2]),
    ],
)
def test_a_forbidden_phrase_that_is_all_there_is(phrase, history, symbols):
    history = torch.tensor(history, dtype=torch.int64)
    assert kept("Forbidden", QUARTERS, history, phrases=[phrase]) == symbols


@pytest.mark.parametrize(
    ("history", "symbols"),
    [([], [3]), ([3], [1]), ([3, 1], [0, 1, 2, 3]), ([3, 1, 0], [0, 1, 2, 3])],
)
def test_a_forced_phrase_ends_with_its_last_symbol(history, symbols):
    history = torch.tensor(history, dtype=torch.int64)
    assert kept("Forced", QUARTERS, history, phrase=[3, 1]) == symbols


def test_a_penalty_of_one_changes_nothing():
    penalty = filters.get("rnnpipe.RepetitionPenalty.v1")(penalty=1.0)(Letters(4))
    scores = torch.tensor(QUARTERS).log()
    assert torch.equal(penalty(scores, torch.tensor([0, 1])), scores)
