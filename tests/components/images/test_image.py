"""The model of images as a spaCy component: its contract, its scores, and its images."""

import math
from functools import partial

import numpy as np
import pytest
import spacy
from helpers.component_contract import Component, ComponentContract
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed, raise_error

from rnnpipe.errors import CorpusError, LabelError, SettingsError, StructureError

BERNOULLI = {"@rnnpipe_pixel_outputs": "rnnpipe.Bernoulli.v1"}
SOFTMAX = {"@rnnpipe_pixel_outputs": "rnnpipe.Softmax.v1"}
CNN = {"@rnnpipe_encoders": "rnnpipe.PixelCNN.v1", "width": 12, "depth": 2}
LSTM = {"@rnnpipe_encoders": "rnnpipe.DiagonalBiLSTM.v1", "width": 9}
#: Whether images have classes, their levels and channels, and the network.
KINDS = {
    "binary": (False, 2, 1, {"encoder": CNN, "output": BERNOULLI}),
    "classes": (True, 2, 1, {"encoder": CNN, "output": BERNOULLI}),
    "colours": (False, 5, 3, {"encoder": LSTM, "output": SOFTMAX, "width": 12, "readout": 24}),
}
SHAPE = (4, 5)


def pipeline(kind="binary", **model):
    conditional, levels, _, network = KINDS[kind]
    nlp = spacy.blank("en")
    model = {"@architectures": "rnnpipe.ImageModel.v1", "levels": levels, **network, **model}
    nlp.add_pipe("rnn_image", name="image", config={"model": model, "conditional": conditional})
    return nlp


def images(kind="binary", n=6):
    """Bars: those of the first class stand, those of the second lie."""
    _, levels, channels, _ = KINDS[kind]
    bars = np.zeros((n, *SHAPE, channels), dtype=np.uint8)
    for i in range(n):
        bars[i, :, i // 2] = levels - 1
        if i % 2:
            bars[i] = 0
            bars[i, i // 2 + 1] = levels - 1
    return bars


def doc_with(nlp, image):
    doc = Doc(nlp.vocab)
    doc._.image = image
    return doc


def examples(nlp, pictures):
    made = []
    for i, image in enumerate(pictures):
        reference = doc_with(nlp, image)
        reference.cats = {"standing": float(i % 2 == 0), "lying": float(i % 2 == 1)}
        made.append(Example(doc_with(nlp, image), reference))
    return made


def train(nlp, pictures, steps=60, drop=0.0):
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples(nlp, pictures))
    optimizer.learn_rate = 0.02
    step = partial(nlp.update, sgd=optimizer, drop=drop)
    return optimizer, [step(examples(nlp, pictures))["image"] for _ in range(steps)]


def scores(nlp, pictures, **settings):
    docs = nlp.pipe((doc_with(nlp, image) for image in pictures), **settings)
    return [doc._.image_log_probability for doc in docs]


@pytest.fixture(scope="module", params=KINDS)
def trained(request):
    nlp = pipeline(request.param)
    return request.param, nlp, train(nlp, images(request.param))[1]


@pytest.fixture
def component(trained):
    kind, nlp, _ = trained

    def answer(doc):
        return None, [doc._.image_log_probability]

    bars = partial(examples, pictures=images(kind))
    return Component(nlp, partial(pipeline, kind), bars, answer)


class TestContract(ComponentContract):
    """Of models of images."""


def test_it_learns_its_images(trained):
    kind, nlp, losses = trained
    assert losses[-1] < 0.2 * losses[0]
    pipe = nlp.get_pipe("image")
    known = {image.tobytes() for image in images(kind)}
    drawn = pipe.generate(8, seed=0)
    assert drawn.shape == (8, *pipe.shape) and drawn.dtype == np.uint8
    assert sum(image.tobytes() in known for image in drawn) >= 6


def test_the_loss_is_that_of_the_scores(trained):
    kind, nlp, _ = trained
    pipe = nlp.get_pipe("image")
    loss = pipe.update(examples(nlp, images(kind)))["image"]
    if kind != "classes":  # where scores are of images of any class
        assert loss == pytest.approx(-sum(scores(nlp, images(kind))), rel=1e-4)


def test_scores_have_units(trained):
    kind, nlp, _ = trained
    pictures = images(kind)
    result = nlp.evaluate(examples(nlp, pictures))
    nats = -sum(scores(nlp, pictures)) / len(pictures)
    dims = pictures[0].size
    assert result["image_nats"] == pytest.approx(nats)
    assert result["image_bits_per_dim"] == pytest.approx(nats / dims / math.log(2))
    assert result["image_probability"] == pytest.approx(math.exp(-nats / dims))
    assert nlp.get_pipe("image").score([]) == dict.fromkeys(
        ("image_nats", "image_bits_per_dim", "image_probability")
    )


def test_round_trips_give_equal_images(trained, stored):
    kind, nlp, _ = trained
    again = stored(nlp, lambda: pipeline(kind))
    drawn = [n.get_pipe("image").generate(3, seed=1) for n in (nlp, again)]
    assert np.array_equal(*drawn)


def test_an_untrained_component_draws_nothing():
    again = pipeline().from_bytes(pipeline().to_bytes())
    with pytest.raises(ValueError, match="E109"):
        again.get_pipe("image").generate()


def test_memory_is_bounded_and_changes_nothing(trained):
    kind, nlp, _ = trained
    small = pipeline(kind, max_pixels=41).from_bytes(nlp.to_bytes())
    assert scores(small, images(kind)) == pytest.approx(scores(nlp, images(kind)), abs=1e-4)
    gradients = []
    for pipe in (small.get_pipe("image"), nlp.get_pipe("image")):
        module = pipe.model.shims[0].module
        module.zero_grad()
        pipe.update(examples(nlp, images(kind)))
        gradients.append([p.grad.clone() for p in module.parameters() if p.grad is not None])
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_generation(trained):
    kind, nlp, _ = trained
    pipe = nlp.get_pipe("image")
    drawn = pipe.generate(3, seed=5)
    assert np.array_equal(drawn[:2], pipe.generate(2, seed=5))
    assert not np.array_equal(pipe.generate(8, seed=6), pipe.generate(8, seed=7))
    sure = pipe.generate(2, temperature=0.0)
    assert kind == "classes" or np.array_equal(sure[0], sure[1])
    assert pipe.generate(2, 3, 7, seed=0).shape == (2, 3, 7, pipe.shape[2])


def test_completion_keeps_what_is_given(trained):
    kind, nlp, _ = trained
    pipe = nlp.get_pipe("image")
    standing = images(kind)[2]
    label = "standing" if kind == "classes" else None
    done = pipe.complete(standing, n=4, seed=0, label=label)
    assert (done[:, :2] == standing[:2]).all()
    assert sum(np.array_equal(image, standing) for image in done) >= 3
    known = np.zeros(SHAPE, dtype=bool)
    known[:, 3:] = True
    noise = np.random.default_rng(0).integers(0, pipe.levels, standing.shape, dtype=np.uint8)
    done = pipe.complete(noise, known, n=2, seed=0)
    assert (done[:, known] == noise[known]).all()
    assert np.array_equal(pipe.complete(noise, np.ones(SHAPE, dtype=bool))[0], noise)


def test_classes():
    kind, pictures = "classes", images("classes")
    nlp = pipeline(kind)
    train(nlp, pictures)
    pipe = nlp.get_pipe("image")
    assert pipe.labels == pipe.label_data == ("lying", "standing")
    standing = pipe.generate(6, seed=0, label="standing")
    assert sum(any(np.array_equal(x, y) for y in pictures[::2]) for x in standing) >= 4
    in_turn = pipe.generate(4, seed=0)
    assert np.array_equal(in_turn[1], pipe.generate(2, seed=0, label="standing")[1])
    # p(x) is the mean over the classes.
    alone = scores(nlp, pictures[:1])[0]
    given = -pipe.update(examples(nlp, pictures[:1]))["image"]
    assert alone == pytest.approx(given - math.log(2), abs=0.05)


def test_classes_can_be_added():
    nlp = pipeline("classes")
    pipe = nlp.get_pipe("image")
    assert pipe.add_label("early") == 1
    train(nlp, images("classes"), steps=20)
    before = pipe.generate(3, seed=0, label="lying")
    assert pipe.labels == ("early", "lying", "standing")
    assert (pipe.add_label("late"), pipe.add_label("late")) == (1, 0)
    assert np.array_equal(pipe.generate(3, seed=0, label="lying"), before)
    nlp.update(examples(nlp, images("classes")), sgd=nlp.resume_training())
    again = pipeline("classes").from_bytes(nlp.to_bytes())
    assert again.get_pipe("image").labels == pipe.labels
    assert scores(again, images("classes")) == scores(nlp, images("classes"))
    pipe.initialize(lambda: examples(nlp, images("classes")), nlp=nlp, labels=["from", "file"])
    assert pipe.labels == ("early", "lying", "standing", "late", "from", "file")


def test_an_image_without_a_class_teaches_nothing():
    nlp = pipeline("classes")
    train(nlp, images("classes"), steps=1)
    doc = doc_with(nlp, images("classes")[0])
    assert nlp.get_pipe("image").update([Example(doc, doc.copy())])["image"] == 0.0


def test_rehearsal_keeps_what_was_learnt(trained):
    kind, trained_nlp, _ = trained
    nlp = pipeline(kind).from_bytes(trained_nlp.to_bytes())
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.001
    losses = nlp.rehearse(examples(nlp, images(kind)), sgd=optimizer)
    assert losses["image"] > 0.0
    assert scores(nlp, images(kind)) == pytest.approx(scores(trained_nlp, images(kind)), abs=1.0)


def test_it_can_begin_anew_with_images_of_another_size():
    nlp = pipeline()
    train(nlp, images(), steps=1)
    train(nlp, images()[:, :3], steps=1)
    assert nlp.get_pipe("image").shape == (3, 5, 1)


def test_default_configuration_trains():
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_image", name="image")
    _, losses = train(nlp, images()[:2], steps=4)
    assert losses[-1] < losses[0]


def test_one_bad_document_does_not_lose_the_others(trained):
    kind, nlp, _ = trained
    good, seen = images(kind)[0], []
    nlp.set_error_handler(lambda name, pipe, docs, error: seen.append((len(docs), str(error))))
    bad = [None, good.tolist(), good[:3], good[..., [0, 0]], good + 1]
    docs = list(nlp.pipe([doc_with(nlp, image) for image in [good, *bad, good]]))
    nlp.set_error_handler(raise_error)
    want = pytest.approx(scores(nlp, [good])[0], abs=1e-4)
    assert [doc._.image_log_probability for doc in docs] == [want] * 2
    channels, levels = KINDS[kind][2], KINDS[kind][1]
    texts = [
        "the document '': expected an image in doc._.image, got no image.",
        "expected an image that is a numpy array of uint8, got 'list'. Convert it",
        ("expected an image of 4 x 5 pixels, the size of the training images, got '3 x 5'. Crop"),
        f"expected an image of {channels} channel",
        f"expected pixels from 0 to {levels - 1}, got {levels}. Quantise the image, or set levels.",
    ]
    assert [n for n, _ in seen] == [1] * len(texts)
    assert all(text in error for text, (_, error) in zip(texts, seen, strict=True)), seen


# What people get wrong


def test_a_corpus_without_images():
    nlp = pipeline()
    with pytest.raises(
        CorpusError, match="components.image: expected training examples, got no ex"
    ):
        nlp.get_pipe("image").initialize(list)
    doc = nlp.make_doc("no picture")
    with pytest.raises(StructureError, match="the document 'no picture': expected an image in doc"):
        nlp.initialize(lambda: [Example(doc, doc)])
    train(nlp, images(), steps=1)
    with pytest.raises(StructureError, match="the document 'no picture': expected an image in doc"):
        nlp.update([Example(doc, doc)])


def test_a_class_for_images_without_classes():
    nlp = pipeline()
    train(nlp, images(), steps=0)
    text = "image: expected no label, since images are not conditioned on a class, got 'lying'"
    for ask in (nlp.get_pipe("image").generate, nlp.get_pipe("image").complete):
        given = [] if ask.__name__ == "generate" else [np.eye(4, dtype=np.uint8)]
        with pytest.raises(LabelError, match=text):
            ask(*given, label="lying")


def test_classes_that_are_not_there():
    nlp = pipeline("classes")
    doc = doc_with(nlp, images()[0])
    with pytest.raises(
        LabelError, match="image: expected images with a category in doc.cats, got no"
    ):
        nlp.initialize(lambda: [Example(doc, doc)])
    train(nlp, images(), steps=1)
    pipe = nlp.get_pipe("image")
    with pytest.raises(
        LabelError, match=r"expected one of the classes \['lying', 'standing'\], got"
    ):
        pipe.generate(label="leaning")
    doc.cats = {"leaning": 1.0}
    with pytest.raises(
        LabelError, match="got 'leaning'. Choose one of them, or add the label with add_label"
    ):
        nlp.update([Example(doc_with(nlp, images()[0]), doc)])
    doc.cats = {"lying": 1.0, "standing": 1.0}
    with pytest.raises(LabelError, match=r"at most one true category, got \['lying', 'standing'\]"):
        nlp.update([Example(doc_with(nlp, images()[0]), doc)])
    with pytest.raises(
        LabelError, match="expected no label, since images are not conditioned on a"
    ):
        pipeline().get_pipe("image").add_label("lying")


def test_an_output_of_other_levels():
    text = r"components.image.model.output: expected images of 2 levels, got 256. Use rnnpipe.Soft"
    with pytest.raises(SettingsError, match=text):
        pipeline(levels=256)


def test_an_encoder_that_reads_words():
    lstm = {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 4}
    text = (
        "components.image.model.encoder: expected a block with @rnnpipe_encoders that reads images"
    )
    with pytest.raises(SettingsError, match=text):
        pipeline(encoder=lstm)


def test_channels_that_do_not_fit():
    narrow = {"@rnnpipe_encoders": "rnnpipe.PixelCNN.v1", "width": 2}
    settings = {"width": 2}, {"readout": 2}, {"encoder": narrow}
    for setting, place in zip(settings, ("width", "readout", "encoder.width"), strict=True):
        with pytest.raises(StructureError) as error:
            train(pipeline("colours", **setting), images("colours"), steps=0)
        assert str(error.value) == (
            f"components.image.model.{place}: expected at least one feature for each of the 3 "
            f"channels, got 2. Set it to 3 or more."
        )


def test_settings_of_generation():
    nlp = pipeline()
    train(nlp, images(), steps=0)
    pipe = nlp.get_pipe("image")
    with pytest.raises(SettingsError, match="components.image: n: expected 1 or more, got 0"):
        pipe.generate(0)
    with pytest.raises(SettingsError, match="components.image: height: expected 1 or more, got -1"):
        pipe.generate(1, -1)
    with pytest.raises(SettingsError, match="image: temperature: expected 0 or more, got -0.5"):
        pipe.generate(1, temperature=-0.5)
    with pytest.raises(
        SettingsError, match=r"known: expected a boolean array of shape \(4, 5\), true"
    ):
        pipe.complete(images()[0], np.ones((2, 2), dtype=bool))
    with pytest.raises(StructureError, match="expected pixels from 0 to 1, got 255"):
        pipe.complete(images()[0] * 255)
