"""An embedding inside spaCy's tok2vec: its vectors, its gradients, and what it refuses."""

import shutil

import numpy as np
import pytest
import spacy
import torch
from helpers.handful import SENTENCES, examples_for
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import Adam

from rnnpipe.components.tok2vec.tok2vec_embedding import Tok2VecEmbedding
from rnnpipe.errors import StructureError
from rnnpipe.parts.embeddings.concat import Concat
from rnnpipe.parts.embeddings.hashed import Hashed
from rnnpipe.parts.embeddings.tok2vec import Tok2Vec
from rnnpipe.parts.embeddings.words import Words

nlp = spacy.blank("en")
DOCS = [Doc(nlp.vocab, words=words) for words in (["a", "rose", "is", "a"], [], ["rose"])]
HASHED = {"norm": 20, "prefix": 9, "suffix": 9, "shape": 9, "pieces": 1}


def model(width=None):
    torch.manual_seed(0)
    parts = {"one": Hashed(width=4, **HASHED), "two": Hashed(width=3, **HASHED)}
    return Tok2VecEmbedding(Concat(parts), width=width).initialize(X=DOCS)


def test_one_row_a_token_whatever_the_batch():
    tok2vec = model()
    vectors = tok2vec.predict(DOCS)
    assert [v.shape for v in vectors] == [(4, 7), (0, 7), (1, 7)]
    for doc, together in zip(DOCS, vectors, strict=True):
        np.testing.assert_allclose(tok2vec.predict([doc])[0], together, atol=1e-6)
    np.testing.assert_array_equal(vectors[0][1], vectors[2][0])  # the same word


def test_gradients_add_up_over_tokens():
    tok2vec = model()
    vectors, backprop = tok2vec.begin_update(DOCS)
    assert backprop([np.ones_like(v) for v in vectors]) == []
    weights = dict(tok2vec.shims[0].module.named_parameters())
    got = {name: weight.grad.clone() for name, weight in weights.items()}
    for weight in weights.values():
        weight.grad = None
    for doc in DOCS[::2]:
        vectors, backprop = tok2vec.begin_update([doc])
        backprop([np.ones_like(v) for v in vectors])
    for name, weight in weights.items():
        torch.testing.assert_close(weight.grad, got[name])
    tok2vec.finish_update(Adam(0.1))
    assert all(weight.grad is None for weight in weights.values())


def pipeline(path):
    pipe = spacy.blank("en")
    language_model = {
        "@rnnpipe_embeddings": "rnnpipe.LanguageModelEmbedding.v1",
        "path": str(path),
        "finetune": True,
    }
    hashed = {"@rnnpipe_embeddings": "rnnpipe.Hashed.v1", "width": 8}
    embedding = {
        "@rnnpipe_embeddings": "rnnpipe.Concat.v1",
        "parts": {"forward": language_model, "words": hashed},
    }
    encoder = {"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": 6}
    pipe.add_pipe(
        "tok2vec",
        config={
            "model": {
                "@architectures": "spacy.Tok2Vec.v2",
                "embed": {
                    "@architectures": "rnnpipe.Tok2VecEmbedding.v1",
                    "embedding": embedding,
                },
                "encode": {
                    "@architectures": "rnnpipe.Tok2VecEncoder.v1",
                    "width": 12,
                    "encoder": encoder,
                },
            }
        },
    )
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 12}
    tagger = {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}
    pipe.add_pipe("tagger", config={"model": tagger})
    return pipe


def test_spacys_tagger_over_a_language_model(tmp_path):
    lm = spacy.blank("en")
    encoder = {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 12}
    lm.add_pipe("rnn_lm", name="lm", config={"model": {"encoder": encoder}})
    doc = lm.make_doc("We met Ada Lovelace in Paris")
    lm.initialize(lambda: [Example(doc, doc)])
    lm.to_disk(tmp_path / "lm")
    fix_random_seed(0)
    pipe = pipeline(tmp_path / "lm")
    optimizer = pipe.initialize(lambda: examples_for(pipe))
    optimizer.learn_rate = 0.01
    losses = [pipe.update(examples_for(pipe), sgd=optimizer)["tagger"] for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]
    shutil.rmtree(tmp_path / "lm")
    pipe.to_disk(tmp_path / "model")
    answers = []
    for loaded in (pipe, spacy.load(tmp_path / "model")):
        docs = loaded.pipe(Doc(loaded.vocab, words=words) for words, _ in SENTENCES)
        answers.append([[token.tag_ for token in doc] for doc in docs])
    assert answers[0] == answers[1]


# What people get wrong


@pytest.mark.parametrize("embedding", [Words(width=3), Tok2Vec(model())])
def test_an_embedding_that_needs_more_than_ten_documents(embedding):
    text = (
        r"model.embed.embedding: expected an embedding without a learned vocab.* LanguageModelEmb"
    )
    with pytest.raises(StructureError, match=text):
        Tok2VecEmbedding(embedding).initialize(X=DOCS)


def test_another_width():
    with pytest.raises(StructureError, match="model.embed.width: expected 7, the width of the emb"):
        model(width=8)
    assert model(width=7).get_dim("nO") == 7
