"""Workers that are spawned, not forked: the only ones on Windows and the default on macOS."""

import multiprocessing

import pytest
from helpers.handful import annotations, fresh_docs, pipeline, train


@pytest.fixture
def spawning():
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    yield
    multiprocessing.set_start_method(before, force=True)


def test_spawned_workers_agree_with_one_process(spawning):
    nlp = pipeline("rnn_ner")
    train(nlp)
    alone, spawned = (
        [annotations("rnn_ner", doc) for doc in nlp.pipe(fresh_docs(nlp), batch_size=2, **workers)]
        for workers in ({}, {"n_process": 2})
    )
    assert any(alone)
    assert spawned == alone
