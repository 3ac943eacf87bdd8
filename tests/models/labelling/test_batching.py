"""Buckets and windows cover every token once, whatever the lengths."""

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

from rnnpipe.models.labelling.batching import (
    Limits,
    distinct_words,
    make_batch,
    partition,
    plan_windows,
)
from rnnpipe.parts.structures.constituents import Constituents

NLP = spacy.blank("en")
LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=12)


def make_docs(lengths):
    return [Doc(NLP.vocab, words=[f"w{i % 7}" for i in range(n)]) for n in lengths]


def token_numbers(bucket):
    """For each document of a bucket, the token numbers its states are taken from."""
    if bucket.stitch is not None:
        return [bucket.tokens.reshape(-1)[bucket.stitch].tolist()]
    return [row[:n].tolist() for row, n in zip(bucket.tokens, bucket.row_lengths, strict=True)]


@settings(deadline=None, max_examples=60)
@given(LENGTHS, st.integers(2, 20), st.integers(1, 60))
def test_every_token_is_read_once_and_in_order(lengths, max_length, max_padded_tokens):
    limits = Limits(max_length, max_length // 4, max_padded_tokens)
    batch = make_batch(make_docs(lengths), limits)
    starts = np.cumsum(lengths) - lengths
    seen = {}
    for bucket in batch.buckets:
        for position, numbers in zip(bucket.documents, token_numbers(bucket), strict=True):
            seen[int(position)] = numbers
    assert seen == {
        i: list(range(start + 1, start + n + 1))
        for i, (start, n) in enumerate(zip(starts, lengths, strict=True))
    }


@settings(deadline=None, max_examples=60)
@given(LENGTHS, st.integers(1, 80))
def test_buckets_of_several_documents_stay_below_the_cap(lengths, cap):
    batch = make_batch(make_docs(lengths), Limits(64, 8, cap))
    for bucket in batch.buckets:
        assert bucket.tokens.size <= cap or len(bucket.documents) == 1


def test_nodes_of_trees_instead_of_tokens():
    docs = make_docs([2, 0, 3])
    for doc in docs:
        doc.spans["constituents"] = [doc[:]] if len(doc) else []
    batch = make_batch(docs, Limits(max_length=2, overlap=1), Constituents())
    (bucket,) = batch.buckets
    assert bucket.documents.tolist() == [2, 0, 1]
    assert bucket.tokens.tolist() == [[3, 4, 5, 0], [1, 2, 0, 0], [0, 0, 0, 0]]
    assert bucket.row_lengths.tolist() == [4, 3, 0]
    assert bucket.lengths.tolist() == [1, 1, 0]  # of the spans, which a decoder labels
    capped = make_batch(docs, Limits(2, 1, max_padded_tokens=5), Constituents()).buckets
    assert [each.documents.tolist() for each in capped] == [[2], [0], [1]]
    assert batch.lengths.tolist() == [2, 0, 3]


def cost(runs, lengths):
    from rnnpipe.models.labelling.batching import _STEP_OVERHEAD

    return sum(max(lengths[i] for i in run) * (_STEP_OVERHEAD + len(run)) for run in runs)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=7))
def test_partition_costs_as_little_as_the_best_of_all_partitions(lengths):
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])

    def partitions(items):
        if not items:
            yield []
        for n in range(1, len(items) + 1):
            for rest in partitions(items[n:]):
                yield [items[:n], *rest]

    best = min(cost(runs, lengths) for runs in partitions(order))
    runs = partition(np.array(order), np.array(lengths), cap=10_000)
    assert sorted(int(i) for run in runs for i in run) == sorted(order)
    assert cost(runs, lengths) == best


@settings(deadline=None, max_examples=80)
@given(
    st.integers(1, 120),
    st.lists(st.integers(0, 120), max_size=10),
    st.integers(2, 30),
    st.integers(0, 29),
)
def test_windows_are_short_enough_overlap_and_answer_for_all(length, starts, size, overlap):
    overlap = min(overlap, size - 1)
    windows = plan_windows(length, np.array(sorted(set(starts)), dtype=np.int64), size, overlap)
    answered = []
    for (begin, end, keep), following in zip(windows, [*windows[1:], None], strict=True):
        assert 0 < end - begin <= size
        upto = end if following is None else following[2]
        assert begin <= keep < upto <= end
        answered.extend(range(keep, upto))
    assert answered == list(range(length))


def test_windows_end_at_sentence_boundaries_where_sentences_fit():
    windows = plan_windows(10, np.array([0, 3, 6, 8]), max_length=6, overlap=2)
    assert windows == [(0, 6, 0), (6, 10, 6)]


def test_a_token_far_from_both_edges_is_read_with_context_on_both_sides():
    windows = plan_windows(100, np.zeros(0, dtype=np.int64), max_length=40, overlap=10)
    assert [w[:2] for w in windows] == [(0, 40), (30, 70), (60, 100)]
    assert [w[2] for w in windows] == [0, 35, 65]


def test_distinct_words_keep_a_norm_of_their_own_apart():
    doc = NLP("can can't")  # the exception gives its first token "ca" the norm "can"
    words, keys, word_of = distinct_words([doc])
    assert len(keys) == len(words) == 3
    strings = NLP.vocab.strings
    assert [strings[int(words.orth[i])] for i in word_of] == ["can", "ca", "n't"]
    assert [strings[int(words.norm[i])] for i in word_of] == ["can", "can", "not"]


def test_keys_of_words_are_the_same_in_every_batch():
    _, one, _ = distinct_words(make_docs([3]))
    _, two, _ = distinct_words(make_docs([7]))
    assert set(one) < set(two)


@pytest.mark.parametrize("lengths", [[0], [0, 0, 0]])
def test_documents_without_tokens_make_one_bucket_without_steps(lengths):
    batch = make_batch(make_docs(lengths), Limits())
    (bucket,) = batch.buckets
    assert bucket.tokens.shape == (len(lengths), 0)
    assert len(batch.words) == 0
