"""``rnnpipe.Words.v1``."""

import pytest
import torch

from rnnpipe.errors import SettingsError
from rnnpipe.parts.embeddings.words import Words


def test_vocabulary_is_sorted_by_frequency_then_text(vocab):
    facts = Words(width=2).measure({"b": 2, "d": 1, "a": 2, "c": 5}, vocab)
    assert facts == {"words": ["c", "a", "b", "d"], "n_repeated": 3}


def test_minimum_frequency_counts_words_in_lower_case(vocab):
    counts = {"The": 1, "the": 1, "END": 1}
    assert Words(width=2, min_frequency=2).measure({**counts, "x": 2}, vocab)["words"] == ["x"]
    facts = Words(width=2, min_frequency=2, lowercase=True).measure(counts, vocab)
    assert facts == {"words": ["the"], "n_repeated": 1}


def test_lookup_against_a_plain_dictionary(vocab, words_of, embed, texts, counts):
    builder = Words(width=3, min_frequency=2)
    facts = builder.measure(counts, vocab)
    module = builder.build(facts).eval()
    words = words_of(texts)
    for _ in range(2):  # the second time from what was remembered
        vectors = embed(module, words)
        for text, vector in zip(texts, vectors, strict=True):
            row = facts["words"].index(text) + 1 if text in facts["words"] else 0
            assert torch.equal(vector, module.table.weight[row])


def test_lower_case_joins_words(vocab, words_of, embed):
    builder = Words(width=3, lowercase=True)
    module = builder.build(builder.measure({"WALK": 2}, vocab)).eval()
    vectors = embed(module, words_of(["walk", "Walk", "run"]))
    assert torch.equal(vectors[0], vectors[1])
    assert torch.equal(vectors[2], module.table.weight[0])


def test_only_singletons_are_dropped_and_only_in_training(vocab, words_of, embed):
    builder = Words(width=3, singleton_dropout=0.3)
    module = builder.build(builder.measure({"twice": 2, "once": 1}, vocab))
    words = words_of(["twice", "once"])
    unknown = module.table.weight[0]
    torch.manual_seed(0)
    module.train()
    outputs = [embed(module, words) for _ in range(1000)]
    assert not any(torch.equal(output[0], unknown) for output in outputs)
    dropped = sum(torch.equal(output[1], unknown) for output in outputs)
    assert 240 < dropped < 360  # 0.3 of 1000, four standard deviations around it
    module.eval()
    assert not any(torch.equal(embed(module, words)[1], unknown) for _ in range(20))


def test_unknown_vector_learns_from_singletons_by_default(vocab, words_of, embed):
    builder = Words(width=3)
    module = builder.build(builder.measure({"once": 1}, vocab)).train()
    assert module.singleton_dropout == 0.5
    torch.manual_seed(0)
    for _ in range(20):
        embed(module, words_of(["once"])).sum().backward()
    assert (module.table.weight.grad[0] > 0).all()
    assert (module.table.weight.grad[1] > 0).all()


def test_memory_is_bounded_by_the_vocabulary(vocab, words_of, embed):
    builder = Words(width=3)
    module = builder.build(builder.measure({"a": 1}, vocab)).eval()
    embed(module, words_of([f"unseen{i}" for i in range(100)] + ["a"]))
    assert len(module._row_of_key) == 1


def test_settings_without_effect_are_refused():
    with pytest.raises(SettingsError) as error:
        Words(width=3, min_frequency=2, singleton_dropout=0.5)
    assert str(error.value) == (
        "rnnpipe.Words.v1, singleton_dropout: expected no value, since min_frequency = 2 "
        "excludes words that occur once, got 0.5. Remove singleton_dropout, or set min_frequency "
        "= 1."
    )


def test_empty_vocabulary(vocab):
    with pytest.raises(SettingsError) as error:
        Words(width=3, min_frequency=5).measure({"a": 1, "b": 4}, vocab)
    assert str(error.value) == (
        "rnnpipe.Words.v1: expected text that occurs at least min_frequency = 5 times in training, "
        "got no such text, 2 distinct ones in all. Lower min_frequency, or check that the "
        "training corpus is not empty."
    )
    with pytest.raises(SettingsError, match="no such text, 0 distinct ones"):
        Words(width=3).measure({}, vocab)
