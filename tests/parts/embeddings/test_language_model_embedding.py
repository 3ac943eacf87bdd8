"""``rnnpipe.LanguageModelEmbedding.v1``: equal to a walk through the model symbol by symbol, and no
longer in need of the pipeline that it comes from."""

import copy
import functools
import json
import pickle
import shutil

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed, load_model_from_config

from rnnpipe.components.language import language_model_embedding
from rnnpipe.components.language.language_model_embedding import LanguageModelEmbedding
from rnnpipe.contracts.types import BOUNDARY
from rnnpipe.errors import SettingsError, StructureError, WeightsError
from rnnpipe.models.labelling.network import to_device
from rnnpipe.parts.embeddings.language_model import count_layers
from rnnpipe.parts.encoders.sequence.recurrent import LSTM

TEXTS = ["a rose is a rose", "né à la mer", "", "x", "words words words", "a\n  b"]
SYMBOLS = {
    "characters": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
    "bytes": {"@rnnpipe_symbols": "rnnpipe.Bytes.v1"},
    "words": {"@rnnpipe_symbols": "rnnpipe.Words.v1", "min_count": 1},
    "backward": {"@rnnpipe_symbols": "rnnpipe.Backward.v1"},
}
STACK = {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 6, "depth": 2, "dropout": 0.5}
#: Tests read the same few folders again and again.
LOAD = functools.cache(spacy.load)


def language_model(symbols="characters", encoder=STACK, width=6):
    nlp = spacy.blank("en")
    model = {
        "@architectures": "rnnpipe.LanguageModel.v1",
        "symbols": SYMBOLS[symbols],
        "encoder": encoder,
        "output": {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"},
        "width": width,
    }
    nlp.add_pipe("rnn_lm", name="lm", config={"model": model})
    fix_random_seed(0)
    nlp.initialize(lambda: [Example(doc, doc) for doc in map(nlp.make_doc, TEXTS)])
    return nlp


@pytest.fixture(autouse=True)
def load_once(monkeypatch):
    monkeypatch.setattr(language_model_embedding.spacy, "load", LOAD)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trained language model for each kind of symbols."""
    folder = tmp_path_factory.mktemp("language_models")
    for kind in SYMBOLS:
        language_model(kind).to_disk(folder / kind)
    return folder


def built(path, **settings):
    builder = LanguageModelEmbedding(str(path), **settings)
    facts = json.loads(json.dumps(builder.measure({}, None)))
    module = builder.build(facts)
    module.initialize(None)
    return module.eval()


def embed(module, docs, device="cpu"):
    return module(to_device(module.featurize(docs), torch.device(device)))


def make_docs(texts=TEXTS):
    nlp = spacy.blank("en")
    return [nlp.make_doc(text) for text in texts]


def walk(pipeline, doc, mix):
    """The vector of each token: the model reads one symbol after the other, and where a token's
    last one has been read, its state is the token's."""
    lm = pipeline.get_pipe("lm")
    network = lm.model.shims[0].module
    state = network.encoder.start(1)
    symbols, owners = lm.symbols.read(doc), lm.symbols.owners(doc)
    tokens = {}
    for symbol, owner in zip([BOUNDARY, *symbols], [None, *owners], strict=True):
        vector = network.embedding(torch.tensor([symbol]))
        top, state = network.encoder.step(vector, state)
        layers = [vector, *(layer[0] for layer in state)] if mix else [top]
        tokens[owner] = torch.stack(layers).mean(0)[0]
    return [tokens[i] for i in range(len(doc))]


@pytest.mark.parametrize("kind", SYMBOLS)
@pytest.mark.parametrize("layers", ["top", "mixture"])
@pytest.mark.parametrize(("max_length", "max_padded_symbols"), [(512, 8192), (4, 9)])
def test_vectors_are_the_states_where_tokens_end(
    folder, kind, layers, max_length, max_padded_symbols
):
    module = built(
        folder / kind, layers=layers, max_length=max_length, max_padded_symbols=max_padded_symbols
    )
    pipeline, docs = spacy.load(folder / kind), make_docs()
    with torch.no_grad():
        want = [v for doc in docs for v in walk(pipeline, doc, layers == "mixture")]
    assert (module.n_out, module.lexical) == (6, False)
    torch.testing.assert_close(embed(module, docs), torch.stack(want), atol=1e-5, rtol=0)


@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_document_does_not_depend_on_its_batch(folder, data):
    module = built(folder / "characters", max_length=7, max_padded_symbols=20)
    texts = data.draw(st.lists(st.text(st.sampled_from("ab é\n"), max_size=30), max_size=5))
    docs = make_docs(texts)
    together = embed(module, docs)
    assert together.shape == (sum(map(len, docs)), 6)
    alone = [embed(module, [doc]) for doc in docs]
    torch.testing.assert_close(together, torch.cat([together[:0], *alone]), atol=1e-5, rtol=0)


def test_what_a_token_sees(folder):
    """A model that reads forward knows nothing of what comes later, and the other way round."""
    ahead, back = built(folder / "characters"), built(folder / "backward")
    docs = make_docs(["a rose is a rose", "a rose is b rose"])
    for module, equal in ((ahead, [True] * 3 + [False] * 2), (back, [False] * 4 + [True])):
        one, two = (embed(module, [doc]) for doc in docs)
        assert [torch.allclose(x, y, atol=1e-6) for x, y in zip(one, two, strict=True)] == equal


def test_a_token_without_symbols(folder):
    module = built(folder / "characters")
    (doc,) = make_docs(["a b"])
    owners = np.array([0, 0, 2])

    class Skipping:
        def __len__(self):
            return len(module.symbols)

        def read(self, doc):
            return np.array([2, 3, 4])

        def owners(self, doc):
            return owners

    whole = embed(module, [doc])
    skipping = copy.deepcopy(module)
    skipping.symbols = Skipping()
    doc = Doc(doc.vocab, words=["a", "b", "c"])
    vectors = embed(skipping, [doc])
    assert vectors.shape == (3, 6) and vectors.isfinite().all()
    assert whole.shape == (2, 6)


# -- what is learnt ----------------------------------------------------------------------------


def test_a_frozen_model_stays_as_it_is(folder):
    module = built(folder / "characters", layers="mixture", width=4)
    before = embed(module, make_docs())
    module.train()  # the dropout between the layers stays off
    vectors = embed(module, make_docs())
    assert torch.equal(vectors, before)
    (vectors * torch.randn_like(vectors)).sum().backward()
    learnt = {name for name, p in module.named_parameters() if p.grad is not None}
    assert learnt == {"mixture.logits", "mixture.scale", "project.weight", "project.bias"}
    assert all(p.grad.abs().sum() > 0 for p in module.parameters() if p.grad is not None)


def test_a_frozen_top_layer_has_nothing_to_learn(folder):
    module = built(folder / "words")
    assert not any(p.requires_grad for p in module.parameters())
    assert not embed(module.train(), make_docs()).requires_grad


def test_fine_tuning_reaches_every_weight_whatever_the_pieces(folder):
    gradients = []
    for max_length in (512, 4):
        module = built(
            folder / "characters", finetune=True, layers="mixture", max_length=max_length
        )
        vectors = embed(module, make_docs())
        torch.manual_seed(1)
        (vectors * torch.randn_like(vectors)).sum().backward()
        gradients.append({name: p.grad for name, p in module.named_parameters()})
    for name, gradient in gradients[0].items():
        assert gradient.abs().sum() > 0, name
        torch.testing.assert_close(gradients[1][name], gradient, atol=1e-5, rtol=1e-4)


def test_fine_tuning_drops_out_between_layers(folder):
    module = built(folder / "characters", finetune=True).train()
    assert not torch.equal(embed(module, make_docs()), embed(module, make_docs()))


def test_dropout_and_projection(folder):
    module = built(folder / "characters", width=3, dropout=0.5)
    assert module.n_out == 3
    evaluated = embed(module, make_docs())
    dropped = embed(module.train(), make_docs())
    kept = dropped != 0
    assert 0 < kept.sum() < kept.numel()
    torch.testing.assert_close(dropped[kept], 2 * evaluated[kept])


@pytest.mark.parametrize("finetune", [False, True])
@pytest.mark.parametrize("max_length", [3, 512])
def test_a_training_step_runs_without_data(folder, finetune, max_length):
    module = built(
        folder / "backward", finetune=finetune, layers="mixture", max_length=max_length, width=2
    )
    vectors = embed(module.train().to("meta"), make_docs(), "meta")
    vectors.sum().backward()
    assert vectors.is_meta
    assert all(p.grad.is_meta for p in module.parameters() if p.requires_grad)


def test_copies_and_pickles_give_equal_vectors(folder):
    module = built(folder / "words", layers="mixture")
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(embed(other, make_docs()), embed(module, make_docs()))


# -- as part of a component --------------------------------------------------------------------


def tagger(folder, **settings):
    parts = {
        kind: {
            "@rnnpipe_embeddings": "rnnpipe.LanguageModelEmbedding.v1",
            "path": str(folder / kind),
            **settings,
        }
        for kind in ("characters", "backward")
    }
    parts["hashed"] = {"@rnnpipe_embeddings": "rnnpipe.Hashed.v1", "width": 8}
    model = {
        "@architectures": "rnnpipe.Network.v1",
        "embedding": {"@rnnpipe_embeddings": "rnnpipe.Concat.v1", "parts": parts},
        "encoder": {"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": 8},
        "decoder": {"@rnnpipe_decoders": "rnnpipe.Softmax.v1"},
        "max_length": 3,
        "overlap": 1,
    }
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_tagger", config={"model": model})
    return nlp


def examples(nlp):
    made = []
    for text in TEXTS:
        reference = nlp.make_doc(text)
        for token in reference:
            token.tag_ = "AB"[len(token) % 2]
        made.append(Example(nlp.make_doc(text), reference))
    return made


def train(nlp, steps=15):
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples(nlp))
    optimizer.learn_rate = 0.05
    return [nlp.update(examples(nlp), sgd=optimizer, drop=0.1)["rnn_tagger"] for _ in range(steps)]


def tags(nlp):
    return [[token.tag_ for token in doc] for doc in nlp.pipe(TEXTS)]


def weights(nlp):
    network = nlp.get_pipe("rnn_tagger").model.shims[0].module
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize("changes", [{}, {"finetune": True, "layers": "mixture", "width": 5}])
def test_a_component_needs_no_language_model_once_it_is_trained(folder, tmp_path, changes):
    source = shutil.copytree(folder, tmp_path / "language_models")
    nlp = tagger(source, **changes)
    losses = train(nlp)
    assert losses[-1] < 0.5 * losses[0]
    shutil.rmtree(source)
    nlp.to_disk(tmp_path / "model")
    answers = tags(nlp)
    assert tags(spacy.load(tmp_path / "model")) == answers
    assert tags(tagger(source, **changes).from_bytes(nlp.to_bytes())) == answers
    again = pickle.loads(pickle.dumps(nlp))
    assert tags(again) == answers
    again.get_pipe("rnn_tagger").add_label("C")  # builds the network anew
    kept = weights(again)
    assert all(torch.equal(kept[k], w) for k, w in weights(nlp).items() if "contextual" in k)
    assert [tags(nlp)[0]] == [[t.tag_ for t in doc] for doc in nlp.pipe(TEXTS[:1])]


def test_only_what_is_fine_tuned_changes(folder):
    trained = {}
    for finetune in (False, True):
        nlp = tagger(folder, finetune=finetune)
        train(nlp, 0)
        before = weights(nlp)
        optimizer = nlp.create_optimizer()
        nlp.update(examples(nlp), sgd=optimizer)
        after = weights(nlp)
        trained[finetune] = {
            name
            for name in before
            if name.startswith("contextual") and not torch.equal(before[name], after[name])
        }
    assert trained[False] == set()
    assert {name.split(".")[2] for name in trained[True]} == {"embedding", "encoder"}


def test_what_is_saved_holds_no_path(folder):
    nlp = tagger(folder)
    train(nlp, 1)
    assert str(folder).encode() not in nlp.get_pipe("rnn_tagger").model.to_bytes()


# -- what people get wrong ---------------------------------------------------------------------


def test_no_path():
    with pytest.raises(SettingsError, match=r"LanguageModelEmbedding.v1, path: .* got no path"):
        LanguageModelEmbedding(None).measure({}, None)


def test_no_such_pipeline(tmp_path):
    text = r"path: expected the folder or package of a pipeline .* got '.*missing'. Train one with"
    with pytest.raises(SettingsError, match=text):
        LanguageModelEmbedding(str(tmp_path / "missing")).measure({}, None)


def test_no_such_component(folder, tmp_path):
    text = r"component: expected the name of a language model in .*\['lm'\], got 'model'"
    with pytest.raises(SettingsError, match=text):
        LanguageModelEmbedding(str(folder / "words"), component="model").measure({}, None)
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path)
    with pytest.raises(SettingsError, match=r"\['sentencizer'\], got 'sentencizer'"):
        LanguageModelEmbedding(str(tmp_path), component="sentencizer").measure({}, None)


def test_nothing_to_mix(tmp_path):
    language_model(encoder={**STACK, "depth": 1, "dropout": None}, width=5).to_disk(tmp_path)
    nlp = tagger(tmp_path.parent)
    model = nlp.config["components"]["rnn_tagger"]["model"]
    model["embedding"] = {
        "@rnnpipe_embeddings": "rnnpipe.LanguageModelEmbedding.v1",
        "path": str(tmp_path),
        "layers": "mixture",
    }
    nlp.remove_pipe("rnn_tagger")
    nlp.add_pipe("rnn_tagger", config={"model": model})
    text = r"rnn_tagger.model.*layers: expected 'top', since the .* one layer .* Set layers = 'top'"
    with pytest.raises(StructureError, match=text):
        nlp.initialize(lambda: examples(nlp))


def test_an_encoder_that_shows_its_top_layer_alone():
    class Opaque(torch.nn.Module):
        n_out = 6

    with pytest.raises(StructureError, match="has only one layer"):
        count_layers(Opaque(), 6)
    assert count_layers(LSTM(width=6, depth=3)(6), 6) == 4
    assert count_layers(LSTM(width=6, depth=3)(5), 5) == 3


def test_a_model_that_was_never_trained(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_lm", name="lm")
    nlp.to_disk(tmp_path)
    with pytest.raises(SettingsError, match="path: expected a trained language model"):
        LanguageModelEmbedding(str(tmp_path)).measure({}, None)


def test_a_model_whose_config_has_variables(tmp_path):
    variable = {**STACK, "width": "${components.lm.model.width}"}
    config = spacy.blank("en").config.merge(language_model().config)
    config["components"]["lm"]["model"]["encoder"].update(variable)
    load_model_from_config(config).to_disk(tmp_path / "untrained")
    nlp = spacy.load(tmp_path / "untrained")
    nlp.initialize(lambda: [Example(doc, doc) for doc in map(nlp.make_doc, TEXTS)])
    nlp.to_disk(tmp_path / "trained")
    assert nlp.config["components"]["lm"]["model"]["encoder"]["width"] == variable["width"]
    assert built(tmp_path / "trained").n_out == 6


def test_saved_blocks_call_parts_of_networks_only():
    blocks = {"encoder": {"@rnnpipe_encoders": "x", "inner": {"@misc": "evil", "path": "p"}}}
    with pytest.raises(WeightsError) as error:
        language_model_embedding.require_parts(blocks)
    assert str(error.value) == (
        "rnnpipe.LanguageModelEmbedding.v1, saved blocks: expected names in registries that "
        "begin with rnnpipe_, got '@misc = evil'. Do not load files from unknown sources."
    )
