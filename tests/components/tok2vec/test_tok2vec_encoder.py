"""An encoder inside spaCy's tok2vec: exact, independent of the batch, saved with its sizes."""

import os
import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from helpers.paths import CONFIGS
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy import util
from spacy.cli.convert import convert
from spacy.cli.train import train
from spacy.ml.models.tok2vec import MultiHashEmbed, build_Tok2Vec_model
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from thinc.api import Adam, set_dropout_rate
from thinc.util import data_validation
from torch import nn

from rnnpipe.components.tok2vec.tok2vec_encoder import Tok2VecEncoder
from rnnpipe.errors import StructureError
from rnnpipe.layers.dropout import Dropout
from rnnpipe.parts.encoders.sequence.bidirectional import BiLSTM
from rnnpipe.parts.encoders.sequence.recurrent import GRU, LSTM
from rnnpipe.structures import Encoded, Sequences

N_IN, N_OUT = 4, 6


class Context(nn.Module):
    """Each state reads its own vector, the mean of its document and the document's length."""

    causal = False
    structure = Sequences

    def __init__(self, n_in, dropout=None):
        super().__init__()
        self.n_out = N_OUT
        self.dropout = Dropout(dropout)
        self.own = nn.Linear(n_in, N_OUT)
        self.mean = nn.Linear(n_in, N_OUT)

    def forward(self, inputs, structure, state=None):
        inputs = self.dropout(inputs)
        lengths = structure.lengths.clamp(min=1).reshape(-1, 1, 1)
        mean = structure.blank(inputs).sum(1, keepdim=True) / lengths
        states = torch.tanh(self.own(inputs) + self.mean(mean) + 0.01 * lengths)
        return Encoded(structure.blank(states), structure, self.n_out)


def make_model(encoder=Context, **options):
    torch.manual_seed(0)
    return Tok2VecEncoder(encoder, **options).initialize(X=[np.zeros((1, N_IN), dtype="f")])


def vectors(lengths, seed=0, width=N_IN):
    random = np.random.default_rng(seed)
    return [random.standard_normal((n, width), dtype=np.float32) for n in lengths]


def alone(model, x):
    """The oracle: one document, no padding, plain torch. Returns states and dX for dY = states."""
    module = model.shims[0].module
    inputs = torch.from_numpy(x).unsqueeze(0).requires_grad_()
    states = module(inputs, Sequences.of([len(x)])).states[0]
    (gradient,) = torch.autograd.grad((states**2).sum() / 2, inputs)
    return states.detach().numpy(), gradient[0].numpy()


@settings(deadline=None, max_examples=40)
@given(
    lengths=st.lists(st.integers(0, 30), max_size=12),
    max_padded_tokens=st.sampled_from([1, 20, 8192]),
)
def test_each_document_is_computed_as_if_alone(lengths, max_padded_tokens):
    model = make_model(max_padded_tokens=max_padded_tokens)
    X = vectors(lengths)
    Y, backprop = model.begin_update(X)
    dX = backprop(Y)
    assert [y.shape for y in Y] == [(n, N_OUT) for n in lengths]
    for x, y, dx, predicted in zip(X, Y, dX, model.predict(X), strict=True):
        states, gradient = alone(model, x)
        np.testing.assert_allclose(y, states, atol=1e-5)
        np.testing.assert_allclose(predicted, y, atol=1e-6)
        np.testing.assert_allclose(dx, gradient, atol=1e-5)


@pytest.mark.parametrize("encoder", [BiLSTM(width=3, depth=2), GRU(width=5), LSTM(width=4)])
def test_registered_encoders(encoder):
    model = make_model(encoder)
    X = vectors([5, 0, 1, 12, 2])
    Y, backprop = model.begin_update(X)
    for x, y, dx, predicted in zip(X, Y, backprop(Y), model.predict(X), strict=True):
        if len(x):
            states, gradient = alone(model, x)
            np.testing.assert_allclose(y, states, atol=1e-5)
            np.testing.assert_allclose(predicted, states, atol=1e-5)
            np.testing.assert_allclose(dx, gradient, atol=1e-5)


def test_gradients_add_up_over_buckets():
    """However the documents are grouped, the parameters' gradients are those of each document."""
    X, gradients = vectors([9, 0, 3, 3, 1, 8]), []
    for max_padded_tokens in (1, 8192):
        model = make_model(max_padded_tokens=max_padded_tokens)
        Y, backprop = model.begin_update(X)
        backprop(Y)
        gradients.append([p.grad for p in model.shims[0].module.parameters()])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_padding_is_bounded():
    seen = []

    class Watch(Context):
        def forward(self, inputs, structure, state=None):
            seen.append(inputs.shape[:2])
            return super().forward(inputs, structure, state)

    model = make_model(Watch, max_padded_tokens=40)
    lengths = [1, 2, 2, 3, 30, 9, 10, 12, 1, 60]
    model.predict(vectors(lengths))
    assert all(rows * steps <= 40 or rows == 1 for rows, steps in seen)
    assert sum(rows for rows, _ in seen) == len(lengths)


def test_dropout_of_the_training_loop():
    model = make_model()
    X = vectors([50, 50])
    plain = np.concatenate(model.predict(X))
    for rate, changes in ((0.0, False), (0.5, True)):
        set_dropout_rate(model, rate)
        trained = np.concatenate(model.begin_update(X)[0])
        assert bool(np.abs(trained - plain).max() > 0.1) is changes
        np.testing.assert_array_equal(np.concatenate(model.predict(X)), plain)
    model = make_model(partial(Context, dropout=0.0))
    set_dropout_rate(model, 0.5)
    np.testing.assert_allclose(np.concatenate(model.begin_update(X)[0]), plain, atol=1e-6)


def test_bfloat16():
    X = vectors([7, 3])
    single, half = make_model(), make_model(precision="bfloat16")
    for a, b in zip(single.predict(X), half.begin_update(X)[0], strict=True):
        assert b.dtype == np.float32
        np.testing.assert_allclose(a, b, atol=0.05)
        assert np.abs(a - b).max() > 0


def test_widths_are_known_when_they_are_needed():
    model = Tok2VecEncoder(Context)
    assert model.has_dim("nO") is None
    model.initialize(X=vectors([3]))
    assert (model.get_dim("nI"), model.get_dim("nO")) == (N_IN, N_OUT)
    assert Tok2VecEncoder(Context, width=N_OUT).get_dim("nO") == N_OUT


def test_thinc_can_check_the_data():
    with data_validation(True):
        assert make_model().predict(vectors([3]))[0].shape == (3, N_OUT)


def test_a_wrong_width():
    with pytest.raises(StructureError) as error:
        make_model(width=8)
    assert str(error.value) == (
        "model.encode.width: expected 6, the width of the encoder's states, got 8. Leave width "
        "unset, or change the encoder."
    )


class Trees:
    pass


class TreeEncoder(Context):
    structure = Trees


def test_an_encoder_of_another_structure():
    with pytest.raises(StructureError) as error:
        make_model(TreeEncoder)
    assert str(error.value) == (
        "model.encode.encoder: expected an encoder over Sequences, got one over Trees. A tok2vec "
        "reads sequences of tokens."
    )


@pytest.mark.parametrize(
    "again",
    [
        lambda model: Tok2VecEncoder(Context).from_bytes(model.to_bytes()),
        lambda model: pickle.loads(pickle.dumps(model)),
        lambda model: model.copy(),
    ],
)
def test_round_trip(again):
    torch.manual_seed(5)
    model = make_model()
    X = vectors([3, 0, 5])
    other = again(model)
    assert (other.get_dim("nI"), other.get_dim("nO")) == (N_IN, N_OUT)
    for a, b in zip(model.predict(X), other.predict(X), strict=True):
        np.testing.assert_array_equal(a, b)


def test_untrained_round_trip():
    model = Tok2VecEncoder(Context).from_bytes(Tok2VecEncoder(Context).to_bytes())
    assert model.has_dim("nI") is None
    with pytest.raises(StructureError, match="network: expected weights, got no weights yet"):
        model.set_dim("nI", N_IN)
        model.set_dim("nO", N_OUT)
        model.predict(vectors([2]))


# Inside spaCy


def test_in_spacys_tok2vec():
    vocab = spacy.blank("en").vocab
    docs = [Doc(vocab, words=["w"] * n) for n in (4, 0, 1, 9)]
    embed = MultiHashEmbed(N_IN, ["NORM", "SHAPE"], [50, 20], include_static_vectors=False)
    tok2vec = build_Tok2Vec_model(embed, Tok2VecEncoder(Context))
    tok2vec.initialize(X=docs)
    assert tok2vec.get_dim("nO") == N_OUT
    Y, backprop = tok2vec.begin_update(docs)
    assert [y.shape for y in Y] == [(len(doc), N_OUT) for doc in docs]
    (table, *_) = (node for node in tok2vec.walk() if node.has_param("E"))
    before = table.get_param("E").copy()
    backprop(Y)
    tok2vec.finish_update(Adam(0.1))
    assert np.abs(table.get_param("E") - before).max() > 0.01  # gradients reach spaCy's embedding


CONFIG = CONFIGS / "spacy_tagger_parser.cfg"
SMALL = {
    "components.tok2vec.model.embed.width": 16,
    "components.tok2vec.model.embed.rows": [200, 100, 100, 100],
    "components.tok2vec.model.encode.width": 24,
    "components.tok2vec.model.encode.encoder.width": 12,
    "components.parser.model.hidden_width": 8,
}


def sample(vocab):
    """Sentences of one shape, whose words say what they are."""
    words = [["the", "a"], ["big", "red"], ["dog", "cat"], ["sees", "likes"], ["it", "her"]]
    docs = []
    for i in range(8):
        doc = Doc(
            vocab,
            words=[pair[(i >> j) % 2] for j, pair in enumerate(words)],
            tags=["DT", "JJ", "NN", "VB", "PR"],
            heads=[2, 2, 3, 3, 3],
            deps=["det", "amod", "nsubj", "ROOT", "obj"],
        )
        docs.append(doc)
    return docs


def train_by_config(tmp_path, train_file, dev_file, **overrides):
    settings = {"paths.train": str(train_file), "paths.dev": str(dev_file), **overrides}
    train(CONFIG, tmp_path / "out", overrides=settings)
    return spacy.load(tmp_path / "out" / "model-last")


def assert_equal_docs(a, b):
    for x, y in zip(a, b, strict=True):
        columns = ["TAG", "HEAD", "DEP", "SENT_START"]
        np.testing.assert_array_equal(x.to_array(columns), y.to_array(columns))
        np.testing.assert_allclose(x.tensor, y.tensor, atol=1e-6)


def test_spacys_tagger_and_parser_train_and_round_trip(tmp_path):
    docs = sample(spacy.blank("en").vocab)
    # spaCy's parser drops labels that it sees fewer than 30 times.
    DocBin(docs=docs * 4).to_disk(tmp_path / "sample.spacy")
    few = {
        "training.max_steps": 50,
        "training.eval_frequency": 25,
        "training.dropout": 0.1,
        "training.optimizer.learn_rate.initial_rate": 0.01,
        "training.optimizer.learn_rate.warmup_steps": 1,
    }
    path = tmp_path / "sample.spacy"
    nlp = train_by_config(tmp_path, path, path, **SMALL, **few)
    scores = nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in docs])
    assert scores["tag_acc"] > 0.9 and scores["dep_las"] > 0.8
    texts = [doc.text for doc in docs] + ["", "dog"]
    predicted = list(nlp.pipe(texts))
    assert_equal_docs(predicted, [nlp(text) for text in texts])
    again = util.load_model_from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert_equal_docs(predicted, list(again.pipe(texts)))
    assert_equal_docs(predicted, list(again.pipe(texts, n_process=2, batch_size=4)))
    again.replace_listeners("tok2vec", "tagger", ["model.tok2vec"])  # a copy of its own
    assert_equal_docs(predicted, list(again.pipe(texts)))


@pytest.mark.skipif("RNNPIPE_DATA" not in os.environ, reason="RNNPIPE_DATA is not set")
def test_a_slice_of_a_treebank(tmp_path):
    source = next(Path(os.environ["RNNPIPE_DATA"]).glob("ud-en-ewt/**/*dev.conllu"))
    sentences = source.read_text(encoding="utf8").split("\n\n")[:60]
    path = tmp_path / "slice.conllu"
    path.write_text("\n\n".join(sentences) + "\n\n", encoding="utf8")
    convert(path, tmp_path, file_type="spacy", converter="conllu", n_sents=5, silent=True)
    few = {"training.max_steps": 6, "training.eval_frequency": 3}
    data = tmp_path / "slice.spacy"
    nlp = train_by_config(tmp_path, data, data, **SMALL, **few)
    doc = nlp("From the AP comes this story :")
    assert all(token.tag_ and token.dep_ for token in doc)
