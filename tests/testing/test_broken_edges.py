"""The kit finds every way in which edges can break a promise."""

import random

import numpy as np
import pytest
import spacy
from helpers.broken import can_all_be_broken, told
from spacy.tokens import Doc

from rnnpipe.testing import BrokenPromise, check_edges
from rnnpipe.testing.edges import EDGE


class Edges:
    """Each token to the next, and back."""

    types = ("next", "last")

    def read(self, doc):
        there = [(i, i + 1, 0) for i in range(len(doc) - 1)]
        back = [(j, i, 1) for i, j, _ in there]
        return np.array(there + back, dtype=np.int64).reshape(-1, 3)


class Untyped(Edges):
    types = ()


class Twice(Edges):
    types = ("next", "next")


class Listed(Edges):
    def read(self, doc):
        return super().read(doc).tolist()


class Narrow(Edges):
    def read(self, doc):
        return super().read(doc).astype(np.int32)


class Pairs(Edges):
    def read(self, doc):
        return super().read(doc)[:, :2]


class Circle(Edges):
    def read(self, doc):
        return super().read(doc) + [0, 1, 0]


class Before(Edges):
    def read(self, doc):
        return super().read(doc) - [1, 0, 0]


class Unknown(Edges):
    types = ("next",)


class Last(Edges):
    def read(self, doc):
        return super().read(doc)[-1:]


class Random(Edges):
    def __init__(self):
        self.types = (f"next {random.SystemRandom().random()}", "last")

    def __reduce__(self):
        return Random, ()


class Forgetful(Edges):
    known = True

    def __getstate__(self):
        return {"known": False}

    def read(self, doc):
        return super().read(doc) if self.known else super().read(doc)[::-1]


BROKEN = [
    ("types", Untyped, "Found: types: expected one name or more, all different, got []."),
    ("types", Twice, "expected one name or more, all different, got ['next', 'next']."),
    ("tokens", Listed, "tokens = 0.\nFound: edges: expected a numpy array, got list."),
    ("tokens", Narrow, "tokens = 0.\nFound: edges: expected torch.int64, got torch.int32."),
    ("tokens", Pairs, "tokens = 0.\nFound: edges: expected the shape (e, 3), got (0, 2)."),
    (
        "tokens",
        Circle,
        "tokens = 5.\nFound: [from, to, type]: expected 0 up to below [5, 5, 2], go",
    ),
    ("tokens", Before, "expected 0 up to below [5, 5, 2], got [[-1, 1, 0]]."),
    ("tokens", Unknown, "expected 0 up to below [5, 5, 1], got [[1, 0, 1]]."),
    ("joined", Last, "tokens = 5.\nFound: edges: expected 4 or more, got 1. If documents need "),
    ("copies", Random, "Found: types of a pickle: expected ['next 0."),
    ("copies", Forgetful, "tokens = 5.\nFound: edges of a pickle: expected the same values to the"),
]


@pytest.mark.parametrize("promise, edges, found", BROKEN)
def test_a_broken_promise_is_found(promise, edges, found):
    assert found in told(EDGE, promise, edges())


def test_every_promise_can_be_broken():
    assert can_all_be_broken(EDGE, BROKEN)


def test_sound_edges_break_none():
    check_edges(Edges())
    check_edges("rnnpipe.DependencyEdges.v1", {"labels": ["obj"]})
    check_edges("rnnpipe.TwoWayEdges.v1")


class Shouted(Edges):
    """From the first token in capitals to the second one."""

    def read(self, doc):
        loud = [i for i, token in enumerate(doc) if token.is_upper]
        pairs = [(*loud[:2], 0)] if len(loud) > 1 else []
        return np.array(pairs, dtype=np.int64).reshape(-1, 3)


def test_documents_of_ones_own():
    vocab = spacy.blank("en").vocab
    check_edges(Shouted(), docs=lambda _, lengths: [Doc(vocab, words=["A"] * n) for n in lengths])
    with pytest.raises(BrokenPromise, match=r"expected 1 or more, got 0\. If documents need"):
        check_edges(Shouted(), docs=lambda _, ns: [Doc(vocab, words=["a"] * n) for n in ns])
