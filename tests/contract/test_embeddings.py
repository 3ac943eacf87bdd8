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


def parts_of(name, nlp):
    """``(builder, facts)`` of each embedding that the registered one consists of."""
    builder = build("embedding", name)
    return [(part, part.measure(COUNTS, nlp.vocab)) for part in builder.parts()]


@pytest.fixture
def lexical(lexical_embedding_name, nlp):
    """The modules of an embedding that is a function of the word alone."""
    torch.manual_seed(1)
    modules = [part.build(facts) for part, facts in parts_of(lexical_embedding_name, nlp)]
    for module in modules:
        module.initialize(nlp.vocab)
        module.eval()
    return modules


@pytest.fixture
def fed(fed_embedding_name, nlp):
    """The modules of an embedding that reads another layer's vectors, with the layer's width."""
    torch.manual_seed(1)
    return [
        (part.build(facts).eval(), part.upstream.get_dim("nO"))
        for part, facts in parts_of(fed_embedding_name, nlp)
        if part.upstream is not None
    ]


def words_of(nlp, texts=WORDS):
    words, _, _ = distinct_words([Doc(nlp.vocab, words=texts)])
    return words


def vectors_of(module, words, device="cpu"):
    return module(to_device(module.featurize(words), torch.device(device)))


def test_facts_are_json_and_enough_to_build(embedding_name, nlp):
    for builder, facts in parts_of(embedding_name, nlp):
        module = builder.build(json.loads(json.dumps(facts)))
        assert module.n_out > 0
        again = pickle.loads(pickle.dumps(builder)).build(facts)
        again.load_state_dict(module.state_dict())


def test_words_do_not_depend_on_the_other_words(lexical, nlp):
    words = words_of(nlp)
    for module in lexical:
        together = vectors_of(module, words)
        assert together.shape == (len(words), module.n_out)
        for i in range(len(words)):
            alone = vectors_of(module, take_words(words, np.array([i])))
            torch.testing.assert_close(alone[0], together[i], atol=1e-5, rtol=0)


def test_unseen_words_have_finite_vectors(lexical, nlp):
    words = words_of(nlp, ["zyzzyva", "🜁", "!!!!!!", "a" * 300])
    for module in lexical:
        assert vectors_of(module, words).isfinite().all()


def test_gradients_reach_the_parameters(lexical, nlp):
    words = words_of(nlp)
    for module in lexical:
        module.train()
        parameters = [p for p in module.parameters() if p.requires_grad]
        if parameters:
            vectors_of(module, words).square().sum().backward()
            assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in parameters)


def test_runs_without_a_device(lexical, nlp):
    words = words_of(nlp)
    for module in lexical:
        features = to_device(module.featurize(words), torch.device("meta"))
        vectors = module.to("meta").train()(features)
        assert vectors.device.type == "meta"
        if vectors.requires_grad:
            vectors.sum().backward()


def test_copies_and_pickles_give_equal_vectors(lexical, nlp):
    words = words_of(nlp)
    for module in lexical:
        before = vectors_of(module, words)
        for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
            assert torch.equal(vectors_of(other, words), before)


def test_a_tokens_vector_does_not_depend_on_the_other_tokens(fed):
    for module, width in fed:
        x = torch.randn(4, width)
        together = module({"upstream": x})
        assert together.shape == (4, module.n_out)
        for i in range(4):
            torch.testing.assert_close(module({"upstream": x[i : i + 1]})[0], together[i])
        assert module({"upstream": x[:0]}).shape == (0, module.n_out)


def test_gradients_flow_back_into_the_layer(fed):
    for module, width in fed:
        x = torch.randn(3, width, requires_grad=True)
        module({"upstream": x}).square().sum().backward()
        assert (x.grad.abs().sum(1) > 0).all()


def test_fed_embeddings_run_without_a_device(fed):
    for module, width in fed:
        x = torch.randn(3, width, device="meta", requires_grad=True)
        module.to("meta").train()({"upstream": x}).sum().backward()
        assert x.grad.shape == x.shape


def test_copies_and_pickles_of_fed_embeddings_give_equal_vectors(fed):
    for module, width in fed:
        x = torch.randn(3, width)
        before = module({"upstream": x})
        for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
            assert torch.equal(other({"upstream": x}), before)


@pytest.fixture
def contextual(contextual_embedding_name, nlp):
    """The modules of an embedding that reads documents."""
    torch.manual_seed(1)
    modules = [part.build(facts) for part, facts in parts_of(contextual_embedding_name, nlp)]
    for module in modules:
        module.initialize(nlp.vocab)
        module.eval()
    return modules


def documents(nlp):
    docs = [Doc(nlp.vocab, words=WORDS[i : i + n]) for i, n in [(0, 5), (3, 0), (5, 10), (0, 1)]]
    for doc in docs:
        if len(doc):
            doc.spans["mentions"] = [doc[:1], doc[-1:]]
    return docs


def test_documents_do_not_depend_on_the_others(contextual, nlp):
    docs = documents(nlp)
    for module in contextual:
        together = vectors_of(module, docs)
        assert together.shape == (16, module.n_out)
        alone = torch.cat([vectors_of(module, [doc]) for doc in docs])
        torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
        assert vectors_of(module, []).shape == (0, module.n_out)


def test_contextual_embeddings_run_without_a_device(contextual, nlp):
    for module in contextual:
        features = to_device(module.featurize(documents(nlp)), torch.device("meta"))
        vectors = module.to("meta").train()(features)
        assert vectors.is_meta
        if vectors.requires_grad:
            vectors.sum().backward()


def test_copies_and_pickles_of_contextual_embeddings_give_equal_vectors(contextual, nlp):
    for module in contextual:
        before = vectors_of(module, documents(nlp))
        for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
            assert torch.equal(vectors_of(other, documents(nlp)), before)
