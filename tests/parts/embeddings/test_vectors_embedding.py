"""``rnnpipe.Vectors.v1``."""

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.vectors import Vectors as Table

from rnnpipe.errors import SettingsError
from rnnpipe.models.labelling.batching import distinct_words
from rnnpipe.parts.embeddings.vectors import Vectors


def vocab_with(vectors=None, attr="ORTH"):
    vocab = spacy.blank("en").vocab
    if vectors:
        data = np.array(list(vectors.values()), dtype="f")
        keys = [vocab.strings.add(text) for text in vectors]
        vocab.vectors = Table(strings=vocab.strings, data=data, keys=keys, attr=attr)
    return vocab


def words_in(vocab, *texts):
    words, _, word_of = distinct_words([Doc(vocab, words=list(texts))])
    assert len(words) == len(texts)
    return type(words)(
        words.orth[word_of],
        words.norm[word_of],
        words.prefix[word_of],
        words.suffix[word_of],
        words.shape[word_of],
        vocab,
    )


def build(builder, vocab, counts=None):
    module = builder.build(builder.measure(counts or {}, vocab))
    module.initialize(vocab)
    return module


VECTORS = {"walk": [1.0, 2.0], "run": [3.0, 4.0], "Paris": [5.0, 6.0]}


def test_frozen_vectors_are_those_of_the_vocabulary(embed):
    vocab = vocab_with(VECTORS)
    module = build(Vectors(), vocab)
    assert module.n_out == 2
    assert not list(module.parameters())
    vectors = embed(module, words_in(vocab, "run", "walk", "Paris", "swim"))
    assert vectors.tolist() == [[3.0, 4.0], [1.0, 2.0], [5.0, 6.0], [0.0, 0.0]]


def test_lower_case_is_looked_up_where_the_word_itself_has_no_vector(embed):
    vocab = vocab_with({**VECTORS, "paris": [7.0, 8.0]})
    words = words_in(vocab, "Walk", "WALK", "Paris", "paris", "Swim")
    vectors = embed(build(Vectors(), vocab), words)
    assert vectors.tolist() == [[1.0, 2.0], [1.0, 2.0], [5.0, 6.0], [7.0, 8.0], [0.0, 0.0]]
    vectors = embed(build(Vectors(lowercase=False), vocab), words)
    assert vectors.tolist() == [[0.0, 0.0], [0.0, 0.0], [5.0, 6.0], [7.0, 8.0], [0.0, 0.0]]


def test_several_words_may_share_a_vector(embed):
    vocab = vocab_with(VECTORS)
    vocab.vectors.add("stroll", row=vocab.vectors.find(key="walk"))
    vectors = embed(build(Vectors(), vocab), words_in(vocab, "stroll", "walk"))
    assert vectors.tolist() == [[1.0, 2.0], [1.0, 2.0]]


@pytest.mark.parametrize("attr", ["NORM", "LOWER"])
def test_vectors_keyed_by_another_attribute(attr, embed):
    vocab = vocab_with(VECTORS, attr=attr)
    vectors = embed(build(Vectors(lowercase=False), vocab), words_in(vocab, "WALK", "Run"))
    assert vectors.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    finetuned = Vectors(finetune=True, lowercase=False).measure({"WALK": 1}, vocab)["finetuned"]
    assert finetuned == ["walk"]


@pytest.mark.parametrize("width", [None, 3])
def test_floret_vectors(width, embed):
    vocab = spacy.blank("en").vocab
    data = np.random.default_rng(0).normal(size=(20, 5)).astype("f")
    vocab.vectors = Table(
        strings=vocab.strings, data=data, mode="floret", minn=2, maxn=3, hash_count=2
    )
    module = build(Vectors(finetune=True, width=width), vocab, {"walk": 1})
    texts = ["walk", "walks", "Walk", "xyz"]
    vectors = embed(module, words_in(vocab, *texts))
    expected = torch.from_numpy(np.stack([vocab.get_vector(text) for text in texts]))
    torch.testing.assert_close(vectors, module.project(expected))


def test_projection_is_learned_and_the_vectors_stay(embed):
    vocab = vocab_with(VECTORS)
    before = vocab.vectors.data.copy()
    module = build(Vectors(width=3), vocab)
    words = words_in(vocab, "walk", "swim")
    output = embed(module, words)
    weight, bias = module.project.weight, module.project.bias
    torch.testing.assert_close(output, torch.tensor([[1.0, 2.0], [0.0, 0.0]]) @ weight.T + bias)
    output.sum().backward()
    torch.testing.assert_close(weight.grad, torch.tensor([1.0, 2.0]).expand(3, 2))
    assert np.array_equal(vocab.vectors.data, before)


def test_fine_tuning_moves_the_words_of_training_only(embed):
    vocab = vocab_with(VECTORS)
    builder = Vectors(finetune=True)
    module = build(builder, vocab, {"Walk": 2, "Paris": 1, "swim": 5})
    assert builder.measure({"Walk": 2, "Paris": 1, "swim": 5}, vocab)["finetuned"] == [
        "Paris",
        "walk",
    ]
    words = words_in(vocab, "walk", "Walk", "run", "swim")
    before = embed(module, words)
    assert before.tolist() == [[1.0, 2.0], [1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
    before.sum().backward()
    optimizer.step()
    # "walk" and "Walk" are one vector, whose gradient is 1 for each.
    after = embed(module, words)
    assert after.tolist() == [[0.0, 1.0], [0.0, 1.0], [3.0, 4.0], [0.0, 0.0]]
    assert vocab["walk"].vector.tolist() == [1.0, 2.0]


def test_fine_tuning_words_without_vectors_changes_nothing(embed):
    vocab = vocab_with(VECTORS)
    module = build(Vectors(finetune=True), vocab, {"swim": 3})
    assert embed(module, words_in(vocab, "walk", "swim")).tolist() == [[1.0, 2.0], [0.0, 0.0]]


class OnDevice:
    """An array on a GPU as far as it differs from one on the host: it must be fetched."""

    def __init__(self, array):
        self.array = array

    def get(self):
        return self.array

    def sum(self, **settings):
        return OnDevice(self.array.sum(**settings))


class DeviceTable:
    """A vector table whose data lives on a GPU."""

    def __init__(self, table):
        self.table, self.data, self.shape = table, OnDevice(table.data), table.shape

    def __contains__(self, key):
        return key in self.table

    def get_batch(self, keys):
        return OnDevice(self.table.get_batch(keys))


class DeviceVocab:
    def __init__(self, vocab):
        self.strings, self.vectors = vocab.strings, DeviceTable(vocab.vectors)


def test_vectors_on_a_gpu_are_fetched(embed):
    vocab = vocab_with(VECTORS)
    words = words_in(vocab, "walk", "swim")
    columns = (words.orth, words.norm, words.prefix, words.suffix, words.shape)
    on_device = type(words)(*columns, DeviceVocab(vocab))
    module = build(Vectors(), on_device.vocab)
    assert embed(module, on_device).tolist() == [[1.0, 2.0], [0.0, 0.0]]


def test_half_precision_vectors(embed):
    vocab = vocab_with(VECTORS)
    vocab.vectors.data = vocab.vectors.data.astype(np.float16)
    vectors = embed(build(Vectors(width=2), vocab), words_in(vocab, "walk", "run"))
    assert vectors.dtype == torch.float32


def test_no_vectors():
    with pytest.raises(SettingsError) as error:
        build(Vectors(), vocab_with())
    assert str(error.value) == (
        "rnnpipe.Vectors.v1: expected word vectors in nlp.vocab, got no vectors. Set [initialize] "
        "vectors to a pipeline that has them; 'spacy init vectors' makes one from a file of word "
        "vectors."
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_numbers_name_the_word(bad):
    vocab = vocab_with({**VECTORS, "broken": [bad, 0.0], "too": [0.0, bad]})
    with pytest.raises(SettingsError) as error:
        build(Vectors(), vocab)
    assert str(error.value) == (
        "rnnpipe.Vectors.v1: expected finite numbers in all word vectors, got NaN or infinity for "
        "'broken' (2 of 5 vectors). Repair them and load them again."
    )


def test_large_numbers_are_not_bad_numbers():
    top = float(np.finfo(np.float32).max)
    assert build(Vectors(), vocab_with({"a": [top, top]})).n_in == 2


def test_bad_numbers_in_a_table_without_words():
    vocab = spacy.blank("en").vocab
    data = np.full((3, 2), np.nan, dtype="f")
    vocab.vectors = Table(strings=vocab.strings, data=data, mode="floret", minn=1, maxn=2)
    with pytest.raises(SettingsError, match=r"NaN or infinity for row 0 of the table \(3 of 3"):
        build(Vectors(), vocab)


def test_vectors_gone_after_training():
    module = build(Vectors(), vocab_with(VECTORS))
    with pytest.raises(SettingsError) as error:
        module.featurize(words_in(vocab_with(), "walk"))
    assert str(error.value) == (
        "rnnpipe.Vectors.v1: expected the word vectors of size 2 used to train the network, got "
        "'a table of shape (0, 0) in nlp.vocab'. Load the pipeline with its own vocabulary."
    )
