"""Images by category: the text classifiers over images instead of words."""

from functools import partial

import numpy as np
import pytest
import spacy
from helpers.component_contract import Component, ComponentContract
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed, raise_error

from rnnpipe.errors import StructureError

KINDS = {
    "rows": ("ImageRows", "PixelRows", {"columns": 4}, "BiLSTM"),
    "pixels": ("ImagePixels", "Pixels", {}, "BiLSTM"),
    "grid": ("ImageGrid", "Pixels", {}, "DiagonalBiLSTM"),
}


def model(structure, embedding, settings, encoder):
    return {
        "@architectures": "rnnpipe.Network.v1",
        "structure": {"@rnnpipe_structures": f"rnnpipe.{structure}.v1"},
        "embedding": {"@rnnpipe_embeddings": f"rnnpipe.{embedding}.v1", "levels": 3, **settings},
        "encoder": {"@rnnpipe_encoders": f"rnnpipe.{encoder}.v1", "width": 12},
        "pooler": {"@rnnpipe_poolers": "rnnpipe.Mean.v1"},
        "decoder": {"@rnnpipe_decoders": "rnnpipe.Softmax.v1"},
    }


def pipeline(kind):
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_textcat", name="cat", config={"model": model(*KINDS[kind])})
    return nlp


def doc_with(nlp, image):
    doc = Doc(nlp.vocab)
    doc._.image = image
    return doc


def images():
    """Bars: standing ones, and lying ones."""
    bars = np.zeros((8, 4, 4, 1), dtype=np.uint8)
    for i in range(4):
        bars[i, :, i] = bars[4 + i, i] = 2
    return bars


def examples(nlp):
    made = []
    for i, image in enumerate(images()):
        reference = doc_with(nlp, image)
        reference.cats = {"standing": float(i < 4), "lying": float(i >= 4)}
        made.append(Example(doc_with(nlp, image), reference))
    return made


def predicted(nlp, **settings):
    docs = nlp.pipe((doc_with(nlp, image) for image in images()), **settings)
    return [{name: round(score, 4) for name, score in doc.cats.items()} for doc in docs]


@pytest.fixture(scope="module", params=KINDS)
def trained(request):
    nlp = pipeline(request.param)
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples(nlp))
    optimizer.learn_rate = 0.02
    losses = [nlp.update(examples(nlp), sgd=optimizer)["cat"] for _ in range(60)]
    assert losses[-1] < 0.1 * losses[0]
    return request.param, nlp


@pytest.fixture
def component(trained):
    def answer(doc):
        return list(doc.cats), list(doc.cats.values())

    return Component(trained[1], partial(pipeline, trained[0]), examples, answer)


class TestContract(ComponentContract):
    """Of text classifiers over images."""


def test_it_tells_images_apart(trained):
    _, nlp = trained
    scores = nlp.evaluate(examples(nlp))
    assert scores["cats_micro_f"] == 1.0


def test_one_bad_document_does_not_lose_the_others(trained):
    _, nlp = trained
    seen = []
    nlp.set_error_handler(lambda name, pipe, docs, error: seen.append((len(docs), str(error))))
    good, bad = images()[0], [None, images()[0] / 2, images()[0] + 1, np.zeros((2, 4, 4), np.uint8)]
    docs = [doc_with(nlp, image) for image in [good, *bad, good]]
    annotated = list(nlp.pipe(docs))
    nlp.set_error_handler(raise_error)
    want = pytest.approx(predicted(nlp)[0], abs=1e-4)
    assert [doc.cats for doc in annotated] == [want] * 2
    texts = [
        "got no image",
        "got dtype('float64')",
        "expected pixels from 0 to 2, got 3",
        "channel",
    ]
    assert [n for n, _ in seen] == [1] * 4
    assert all(text in error for text, (_, error) in zip(texts, seen, strict=True))


def test_mixed_sizes(trained):
    kind, nlp = trained
    doc = doc_with(nlp, np.zeros((4, 6), dtype=np.uint8))
    if kind == "rows":
        with pytest.raises(StructureError, match="expected an image of 4 columns, got 6"):
            nlp(doc)
    else:
        assert sum(nlp(doc).cats.values()) == pytest.approx(1.0)


# What people get wrong


def network(kind, **changes):
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_textcat", name="cat", config={"model": {**model(*KINDS[kind]), **changes}})
    nlp.initialize(lambda: examples(nlp))


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (
            "rows",
            {"embedding": {"@rnnpipe_embeddings": "rnnpipe.Pixels.v1"}},
            "components.cat.model.embedding: expected an embedding of rows, to fit the structure",
        ),
        (
            "pixels",
            {"embedding": {"@rnnpipe_embeddings": "rnnpipe.Hashed.v1"}},
            "got HashedEmbedding, an embedding of tokens. Choose 'rnnpipe.Pixels.v1'.",
        ),
        (
            "pixels",
            {"structure": None},
            "got PixelEmbedding, an embedding of pixels. Set the matching structure.",
        ),
        (
            "grid",
            {"structure": {"@rnnpipe_structures": "rnnpipe.ImagePixels.v1"}},
            "components.cat.model.encoder: expected an encoder that reads Sequences, got",
        ),
    ],
)
def test_parts_that_do_not_fit(kind, changes, message):
    with pytest.raises(StructureError) as error:
        network(kind, **changes)
    assert message in str(error.value)


def test_pixels_have_no_tags():
    nlp = spacy.blank("en")
    config = {**model(*KINDS["pixels"]), "pooler": None}
    with pytest.raises(StructureError, match="tokens can be labelled, got one whose pixels can be"):
        nlp.add_pipe("rnn_tagger", config={"model": config})
