"""The cache of word vectors is right whatever is asked of it, and never stale."""

import copy
import pickle
import threading

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

from rnnpipe.models.labelling.batching import Limits, make_batch
from rnnpipe.models.labelling.word_cache import WordCache

NLP = spacy.blank("en")


def batch_of(words):
    return make_batch([Doc(NLP.vocab, words=words)], Limits())


def embed(words):
    """A vector that tells each word by its text's length and first letter."""
    return torch.tensor([[float(len(t)), float(ord(t[0]))] for t in words.texts()])


def looked_up(cache, words, version=0, embed=embed):
    batch = batch_of(words)
    table, rows = cache.look_up(batch, version, embed)
    assert torch.equal(table[0], torch.zeros(2))
    return table[rows[batch.word_of]]


WORDS = st.lists(
    st.sampled_from(["a", "bb", "ccc", "d", "ee", "fff", "gggg", "h"]), min_size=1, max_size=6
)


@settings(deadline=None, max_examples=40)
@given(st.lists(WORDS, min_size=1, max_size=6), st.integers(1, 6))
def test_vectors_are_the_words_own_whatever_came_before(batches, limit):
    cache = WordCache(limit)
    for words in batches:
        expected = torch.tensor([[float(len(w)), float(ord(w[0]))] for w in words])
        assert torch.equal(looked_up(cache, words), expected)


def test_a_word_is_embedded_once():
    cache, seen = WordCache(), []

    def counting(words):
        seen.extend(words.texts())
        return embed(words)

    looked_up(cache, ["a", "b", "a"], embed=counting)
    looked_up(cache, ["c", "a"], embed=counting)
    assert sorted(seen) == ["a", "b", "c"]


def test_new_weights_empty_it():
    cache = WordCache()
    looked_up(cache, ["a"], version=1)
    doubled = looked_up(cache, ["a"], version=2, embed=lambda words: 2 * embed(words))
    assert torch.equal(doubled, torch.tensor([[2.0, 194.0]]))


def test_other_vectors_empty_it():
    cache = WordCache()
    looked_up(cache, ["a"])
    before = NLP.vocab.vectors
    try:
        NLP.vocab.vectors = spacy.vectors.Vectors(shape=(1, 3))
        assert float(looked_up(cache, ["a"], embed=lambda w: embed(w) + 1)[0, 0]) == 2.0
    finally:
        NLP.vocab.vectors = before


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_vectors_of_one_precision_do_not_stand_for_those_of_another(device):
    cache = WordCache()
    try:
        for low, value in ((False, 1.0), (True, 2.0), (False, 3.0)):
            torch.set_autocast_enabled(device, low)  # as torch.autocast does, where there is a GPU
            found = looked_up(cache, ["a"], embed=lambda words, v=value: v * embed(words))
            assert float(found[0, 0]) == value
    finally:
        torch.set_autocast_enabled(device, False)


def test_the_limit_is_the_number_of_words_kept():
    cache, seen = WordCache(4), []

    def counting(words):
        seen.extend(words.texts())
        return embed(words)

    for word in "abacdad":
        looked_up(cache, [word], embed=counting)
    # Four are kept. After them even one that is known may be new, so the table begins anew.
    assert seen == [*"abcdad"]


def test_memory_is_bounded_however_many_words_come():
    cache, sizes = WordCache(10), []
    for i in range(100):
        table, _ = cache.look_up(batch_of([f"w{i}", f"x{i}"]), 0, embed)
        sizes.append(len(table))
    # Room is doubled: at most twice the limit and the row of padding.
    assert max(sizes) <= 2 * (10 + 1)


def test_copies_and_pickles_are_empty_caches():
    cache = WordCache(7)
    looked_up(cache, ["a"])
    for other in (copy.deepcopy(cache), pickle.loads(pickle.dumps(cache))):
        assert other.limit == 7
        assert float(looked_up(other, ["a"], embed=lambda w: embed(w) + 1)[0, 0]) == 2.0


def test_threads_get_the_right_vectors():
    cache, wrong = WordCache(5), []
    rng = np.random.default_rng(0)
    texts = [
        [("abcdefgh"[j]) * int(rng.integers(1, 4)) for j in rng.integers(0, 8, 5)]
        for _ in range(60)
    ]

    def work(part):
        for words in part:
            expected = torch.tensor([[float(len(w)), float(ord(w[0]))] for w in words])
            if not torch.equal(looked_up(cache, words), expected):
                wrong.append(words)

    threads = [threading.Thread(target=work, args=(texts[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
