"""What every adaptation promises."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from rnnpipe_acme.unigram_cache import UnigramCache

SIZE = 4


class Uniform:
    """A model to which all of four symbols are equally likely."""

    def log_likelihoods(self, texts):
        return [np.full(len(text.targets), -np.log(SIZE), dtype=np.float32) for text in texts]


def scores(targets, cache=None):
    text = SimpleNamespace(targets=np.array(targets, dtype=np.int64))
    return (cache or UnigramCache(size=3)).log_likelihoods(Uniform(), text)


@pytest.mark.parametrize("before", [[], [2], [0, 0, 1, 3, 3]])
def test_the_probabilities_of_all_symbols_add_up_to_1(before):
    last = [scores([*before, symbol])[-1] for symbol in range(SIZE)]
    assert np.exp(last).sum() == pytest.approx(1)


def test_a_document_has_what_stands_before_alone_and_begins_afresh():
    whole = scores([0, 1, 0, 0, 2])
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(scores([0, 1, 0]), whole[:3])
    np.testing.assert_array_equal(scores([0, 1, 0, 0, 2]), whole)
    assert scores([]).shape == (0,)


def test_a_pickle_says_the_same():
    again = pickle.loads(pickle.dumps(UnigramCache(size=3)))
    np.testing.assert_array_equal(scores([0, 1, 0], again), scores([0, 1, 0]))
