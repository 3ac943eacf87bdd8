"""What holds for every embedding of words."""

import copy
import json
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.parts.embeddings.chars import CharCNN, CharRNN
from rnnpipe.parts.embeddings.concat import Concat
from rnnpipe.parts.embeddings.hashed import Hashed
from rnnpipe.parts.embeddings.vectors import Vectors
from rnnpipe.parts.embeddings.word_char import WordChar
from rnnpipe.parts.embeddings.words import Words
from rnnpipe.parts.encoders.sequence.bidirectional import BiLSTM
from rnnpipe.parts.encoders.sequence.recurrent import GRU

BUILDERS = {
    "Words": Words(width=6),
    "Words, lowercase": Words(width=6, min_frequency=2, lowercase=True),
    "Hashed": Hashed(width=8, norm=50, prefix=20, suffix=30, shape=10, pieces=1),
    "Hashed, Maxout": Hashed(width=8, norm=50, prefix=0, suffix=30, shape=10),
    "CharCNN": CharCNN(width=6, char_width=4),
    "CharCNN, sizes": CharCNN(width=8, char_width=4, kernel_sizes=[1, 2, 3, 6], max_length=9),
    "CharRNN": CharRNN(BiLSTM(width=6), char_width=4, max_length=20),
    "CharRNN, one way": CharRNN(GRU(width=5), char_width=4),
    "Vectors, projected": Vectors(width=3),
    "Vectors, fine-tuned": Vectors(finetune=True, width=3),
    "Concat": Concat({"words": Words(width=4), "chars": CharCNN(width=6, char_width=4)}),
    "WordChar": WordChar(width=8, char_width=6),
}


@pytest.fixture(params=BUILDERS, scope="module")
def builder(request):
    return BUILDERS[request.param]


@pytest.fixture(scope="module")
def built(builder, counts, vocab):
    torch.manual_seed(0)
    module = builder.build(builder.measure(counts, vocab))
    module.initialize(vocab)
    return module.eval()


def test_one_vector_a_word(built, words_of, embed, texts):
    vectors = embed(built, words_of(texts))
    assert vectors.shape == (len(texts), built.n_out)
    assert vectors.dtype == torch.float32
    assert torch.isfinite(vectors).all()
    assert built.lexical


@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_vector_does_not_depend_on_the_other_words(built, words_of, embed, texts, data):
    chosen = data.draw(st.lists(st.sampled_from(texts), min_size=1, unique=True))
    together = embed(built, words_of(texts))[[texts.index(text) for text in chosen]]
    torch.testing.assert_close(embed(built, words_of(chosen)), together, atol=1e-5, rtol=0)


def test_no_words(built, words_of, embed):
    assert embed(built, words_of([])).shape == (0, built.n_out)


def test_words_seen_in_training_differ(built, words_of, embed):
    vectors = embed(built, words_of(["walked", "can't", "a"]))
    assert torch.pdist(vectors).min() > 1e-3


def test_facts_are_json(builder, counts, vocab, words_of, embed, texts, built):
    facts = builder.measure(counts, vocab)
    again = builder.build(json.loads(json.dumps(facts))).eval()
    again.load_state_dict(built.state_dict())
    words = words_of(texts)
    assert torch.equal(embed(again, words), embed(built, words))


def test_the_order_of_counts_does_not_matter(builder, counts, vocab):
    backwards = dict(reversed(counts.items()))
    assert builder.measure(counts, vocab) == builder.measure(backwards, vocab)


def test_builders_and_modules_can_be_copied(builder, built, counts, vocab, words_of, embed, texts):
    words = words_of(texts)
    expected = embed(built, words)
    for copied in (pickle.loads(pickle.dumps(built)), copy.deepcopy(built)):
        assert torch.equal(embed(copied, words), expected)
    unpickled = pickle.loads(pickle.dumps(builder))
    assert unpickled.measure(counts, vocab) == builder.measure(counts, vocab)


def test_every_parameter_is_trained(builder, counts, vocab, words_of, embed, texts):
    module = builder.build(builder.measure(counts, vocab)).train()
    output = embed(module, words_of(texts))
    output.backward(torch.randn_like(output))
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_a_training_step_runs_without_data(builder, counts, vocab, words_of, embed, texts):
    module = builder.build(builder.measure(counts, vocab)).train().to("meta")
    embed(module, words_of(texts), device="meta").sum().backward()
    assert all(parameter.grad.is_meta for parameter in module.parameters())


def test_reduced_precision_comes_close(built, words_of, embed, texts):
    words = words_of(texts)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = embed(built, words)
        output.float().sum().backward()
    torch.testing.assert_close(output.float(), embed(built, words), atol=0.1, rtol=0.1)
    built.zero_grad()


def test_a_single_embedding_is_its_own_part(builder):
    assert builder.upstream is None
    parts = builder.parts()
    assert all(list(part.parts()) == [part] for part in parts)
