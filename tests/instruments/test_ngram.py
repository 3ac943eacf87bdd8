"""The judge is a distribution, and the one that its docstring says."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnpipe.instruments.ngram import NGrams

SIZE = 4
TEXTS = st.lists(st.lists(st.integers(0, SIZE - 1), max_size=12), max_size=3)


def plain(texts, order, history, symbol):
    """The recursion, counting anew each time."""
    if order == 0:
        return 1 / SIZE
    context = history[len(history) - (order - 1) :] if order > 1 else []
    after = [
        text[i]
        for text in texts
        for i in range(order - 1, len(text))
        if text[i - order + 1 : i] == context
    ]
    shorter = plain(texts, order - 1, history, symbol)
    if not after:
        return shorter
    kinds = len(set(after))
    return (after.count(symbol) + kinds * shorter) / (len(after) + kinds)


@given(texts=TEXTS, history=st.lists(st.integers(0, SIZE - 1), min_size=2, max_size=4))
def test_probabilities_equal_the_recursion_and_add_up_to_one(texts, history):
    judge = NGrams(texts, 3, SIZE)
    total = 0.0
    for symbol in range(SIZE):
        (nats,) = judge.nats([*history, symbol], len(history))
        want = plain([list(t) for t in texts], 3, history, symbol)
        assert nats == pytest.approx(-math.log(want), abs=1e-9)
        total += math.exp(-nats)
    assert total == pytest.approx(1.0)


def test_the_beginning_of_a_text_has_a_shorter_context():
    judge = NGrams([[0, 1, 0, 1, 0, 1]], 3, 2)
    assert judge.nats([0, 1, 0, 1], 0)[0] == pytest.approx(math.log(2))
    assert len(judge.nats([0, 1, 0, 1], 3)) == 1
