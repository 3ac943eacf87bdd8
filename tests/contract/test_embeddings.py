"""What every registered embedding promises."""

import copy
import json
import pickle

import numpy as np
import pytest
import torch
from building import build
from spacy.tokens import Doc

from rnnpipe.batching import distinct_words, take_words
from rnnpipe.network import to_device

WORDS = [
    "the",
    "red",
    "house",
    "in",
    "Berlin",
    "runs",
    "a",
    "bit",
    "unusually",
    "fast",
    ".",
    "a",
    "ß",
    "日本",
    "x",
]
COUNTS = {word: 1 + i % 3 for i, word in enumerate(WORDS)}


@pytest.fixture
def parts(embedding_name, nlp):
    """``(builder, facts)`` of each embedding that the registered one consists of."""
    builder = build("embedding", embedding_name)
    return [(part, part.measure(COUNTS, nlp.vocab)) for part in builder.parts()]


def lexical(parts, nlp):
    torch.manual_seed(1)
    modules = []
    for builder, facts in parts:
        module = builder.build(facts)
        if not module.lexical:
            pytest.skip("not a function of the word alone")
        module.initialize(nlp.vocab)
        modules.append(module.eval())
    return modules


def words_of(nlp, texts=WORDS):
    words, _, _ = distinct_words([Doc(nlp.vocab, words=texts)])
    return words


def vectors_of(module, words, device="cpu"):
    return module(to_device(module.featurize(words), torch.device(device)))


def test_facts_are_json_and_enough_to_build(parts, nlp):
    for builder, facts in parts:
        module = builder.build(json.loads(json.dumps(facts)))
        assert module.n_out > 0
        again = pickle.loads(pickle.dumps(builder)).build(facts)
        again.load_state_dict(module.state_dict())


def test_words_do_not_depend_on_the_other_words(parts, nlp):
    words = words_of(nlp)
    for module in lexical(parts, nlp):
        together = vectors_of(module, words)
        assert together.shape == (len(words), module.n_out)
        for i in range(len(words)):
            alone = vectors_of(module, take_words(words, np.array([i])))
            torch.testing.assert_close(alone[0], together[i], atol=1e-5, rtol=0)


def test_unseen_words_have_finite_vectors(parts, nlp):
    words = words_of(nlp, ["zyzzyva", "🜁", "!!!!!!", "a" * 300])
    for module in lexical(parts, nlp):
        assert vectors_of(module, words).isfinite().all()


def test_gradients_reach_the_parameters(parts, nlp):
    words = words_of(nlp)
    for module in lexical(parts, nlp):
        module.train()
        parameters = [p for p in module.parameters() if p.requires_grad]
        if parameters:
            vectors_of(module, words).square().sum().backward()
            assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in parameters)


def test_runs_without_a_device(parts, nlp):
    words = words_of(nlp)
    for module in lexical(parts, nlp):
        features = to_device(module.featurize(words), torch.device("meta"))
        vectors = module.to("meta").train()(features)
        assert vectors.device.type == "meta"
        if vectors.requires_grad:
            vectors.sum().backward()


def test_copies_and_pickles_give_equal_vectors(parts, nlp):
    words = words_of(nlp)
    for module in lexical(parts, nlp):
        before = vectors_of(module, words)
        for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
            assert torch.equal(vectors_of(other, words), before)
