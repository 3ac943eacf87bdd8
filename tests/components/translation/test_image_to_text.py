"""Captions: a text for an image, by the sequence-to-sequence component."""

from functools import partial

import numpy as np
import pytest
import spacy
from helpers.component_contract import Component, ComponentContract
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed, raise_error

from rnnpipe.errors import CorpusError, SettingsError
from rnnpipe.training.corpora.category_texts import CategoryTexts

NAMES = ["top", "middle", "end"]
ROWS = ("ImageRows", "PixelRows", {"columns": 4}, "BiLSTM")
GRID = ("ImageGrid", "Pixels", {}, "RowLSTM")
KINDS = {
    "rows": (*ROWS, {"attention": {"@rnnpipe_attentions": "rnnpipe.General.v1"}}),
    "feeding": (
        *ROWS,
        {"attention": {"@rnnpipe_attentions": "rnnpipe.General.v1"}, "input_feeding": True},
    ),
    "grid": (*GRID, {}),
}


def pipeline(kind="rows", copy_unknown=False, **changes):
    structure, embedding, settings, encoder, others = KINDS[kind]
    network = {
        "@architectures": "rnnpipe.ImageToText.v1",
        "structure": {"@rnnpipe_structures": f"rnnpipe.{structure}.v1"},
        "embedding": {"@rnnpipe_embeddings": f"rnnpipe.{embedding}.v1", "levels": 3, **settings},
        "encoder": {"@rnnpipe_encoders": f"rnnpipe.{encoder}.v1", "width": 12},
        "decoder": {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 16},
        "target": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
        "output": {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"},
        "width": 8,
        **others,
        **changes,
    }
    nlp = spacy.blank("en")
    config = {"model": network, "attribute": "caption", "copy_unknown": copy_unknown}
    nlp.add_pipe("rnn_seq2seq", name="captions", config=config)
    return nlp


def pictures():
    """A bar in one of three rows."""
    bars = np.zeros((3, 3, 4, 1), dtype=np.uint8)
    bars[range(3), range(3)] = 2
    return bars


def doc_with(nlp, image):
    doc = Doc(nlp.vocab)
    doc._.image = image
    return doc


def examples(nlp):
    made = []
    for image, name in zip(pictures(), NAMES, strict=True):
        reference = doc_with(nlp, image)
        reference._.caption = name
        made.append(Example(doc_with(nlp, image), reference))
    return made


def written(nlp, **settings):
    docs = nlp.pipe((doc_with(nlp, image) for image in pictures()), **settings)
    return [(doc._.caption, round(doc._.caption_log_probability, 3)) for doc in docs]


@pytest.fixture(scope="module", params=KINDS)
def trained(request):
    nlp = pipeline(request.param)
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples(nlp))
    optimizer.learn_rate = 0.02
    losses = [nlp.update(examples(nlp), sgd=optimizer)["captions"] for _ in range(60)]
    assert losses[-1] < 0.1 * losses[0]
    return request.param, nlp


@pytest.fixture
def component(trained):
    def answer(doc):
        return doc._.caption, [doc._.caption_log_probability]

    return Component(trained[1], partial(pipeline, trained[0]), examples, answer)


class TestContract(ComponentContract):
    """Of captions."""


def test_it_writes_what_it_has_learnt(trained):
    _, nlp = trained
    assert [text for text, _ in written(nlp)] == NAMES
    assert nlp.evaluate(examples(nlp))["sequence_accuracy"] == 1.0


def test_attention_is_over_parts_of_the_image(trained):
    kind, nlp = trained
    doc = nlp(doc_with(nlp, pictures()[0]))
    pieces = nlp.get_pipe("captions").source_pieces(doc)
    if kind == "grid":
        assert doc._.caption_attention is None
        assert (pieces[0], len(pieces)) == ("pixel 0", 12)
    else:
        assert pieces == ["row 0", "row 1", "row 2"]
        assert doc._.caption_attention.shape == (3, 3)
        np.testing.assert_allclose(doc._.caption_attention.sum(1), 1.0, atol=1e-5)


def test_one_bad_document_does_not_lose_the_others(trained):
    _, nlp = trained
    good, seen = pictures()[0], []
    nlp.set_error_handler(lambda name, pipe, docs, error: seen.append((len(docs), str(error))))
    docs = list(nlp.pipe([doc_with(nlp, image) for image in [good, None, good + 1, good]]))
    nlp.set_error_handler(raise_error)
    assert [doc._.caption for doc in docs] == [NAMES[0]] * 2
    assert [n for n, _ in seen] == [1, 1]
    assert "got no image" in seen[0][1] and "pixels from 0 to 2, got 3" in seen[1][1]


def test_texts_of_categories():
    nlp = pipeline()

    def corpus(nlp):
        for i, eg in enumerate(examples(nlp)):
            eg.reference.cats = {str(number): float(number == i) for number in range(3)}
            yield eg

    texts = dict(zip("012", ["top", "middle", "end"], strict=True))
    found = list(CategoryTexts(corpus, texts, attribute="caption")(nlp))
    assert [eg.reference._.caption for eg in found] == NAMES
    assert all(eg.predicted._.caption is None for eg in found)
    del texts["1"]
    text = r"the document '': expected one of the categories \['0', '2'\] in doc.cats, got \['1'\]"
    with pytest.raises(CorpusError, match=text):
        list(CategoryTexts(corpus, texts)(nlp))
    with pytest.raises(CorpusError, match="got no category. Give each category a text"):
        list(CategoryTexts(examples, texts)(nlp))


# What people get wrong


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"embedding": {"@rnnpipe_embeddings": "rnnpipe.Pixels.v1"}},
            "components.captions.model.embedding: expected an embedding of rows, to fit the st",
        ),
        (
            {"encoder": {"@rnnpipe_encoders": "rnnpipe.RowLSTM.v1", "width": 4}},
            "components.captions.model.encoder: expected an encoder of sequences, got 'Grids'.",
        ),
        (
            {"decoder": {"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": 4}},
            "components.captions.model.decoder: expected a causal encoder",
        ),
        ({"copy_unknown": True}, "copy_unknown: expected false for images, which have no symbols"),
    ],
)
def test_parts_that_do_not_fit(changes, message):
    with pytest.raises(SettingsError) as error:
        pipeline(**changes)
    assert message in str(error.value)
