"""Images that a model of images cannot read: in training, in evaluation, and where it is stored."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import ignore_error

from rnnpipe.errors import SettingsError, StructureError, WeightsError
from rnnpipe.parts.structures.doc_image import SOURCE

GOOD = np.eye(4, dtype=np.uint8)
MODEL = {
    "@architectures": "rnnpipe.ImageModel.v1",
    "levels": 2,
    "encoder": {"@rnnpipe_encoders": "rnnpipe.PixelCNN.v1", "width": 4, "depth": 1},
    "output": {"@rnnpipe_pixel_outputs": "rnnpipe.Bernoulli.v1"},
}


def pipeline():
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_image", name="image", config={"model": MODEL})
    return nlp


def examples(nlp, *images):
    made = []
    for number, image in enumerate(images):
        doc = Doc(nlp.vocab)
        doc._.image = image
        doc.user_data[SOURCE] = f"{number}.png"
        made.append(Example(doc, doc.copy()))
    return made


@pytest.fixture
def nlp():
    nlp = pipeline()
    nlp.initialize(lambda: examples(nlp, GOOD))
    return nlp


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (None, "the image 2.png: expected an image in doc._.image, got no image"),
        (
            GOOD[:3],
            (
                "the image 2.png: expected an image of 4 x 4 pixels, the size of the training "
                "images, got"
            ),
        ),
        (GOOD[..., None].repeat(3, 2), "the image 2.png: expected an image of 1 channel, got 3"),
        (GOOD * 2, "the image 2.png: expected pixels from 0 to 1, got 2"),
    ],
    ids=["none", "another size", "colours", "more levels"],
)
def test_a_bad_image_is_named_before_training(bad, text):
    nlp = pipeline()
    with pytest.raises(StructureError, match=text):
        nlp.initialize(lambda: examples(nlp, GOOD, GOOD, bad, GOOD))


@pytest.mark.parametrize("place", [0, 2])
def test_what_could_not_be_read_does_not_count_in_evaluation(nlp, place):
    want = nlp.evaluate(examples(nlp, GOOD))["image_nats"]
    nlp.set_error_handler(ignore_error)
    images = [GOOD, GOOD]
    images.insert(place, None)
    assert nlp.evaluate(examples(nlp, *images))["image_nats"] == pytest.approx(want)
    assert nlp.evaluate(examples(nlp, None))["image_nats"] is None


def test_an_image_that_cannot_be_completed(nlp):
    text = "the image to complete: expected pixels from 0 to 1, got 2"
    with pytest.raises(StructureError, match=text):
        nlp.get_pipe("image").complete(GOOD * 2)


def test_known_pixels_that_are_none(nlp):
    text = r"image: known: expected a boolean array of shape \(4, 4\), true where .* got 'int64 of"
    with pytest.raises(SettingsError, match=text):
        nlp.get_pipe("image").complete(GOOD, [1, 2])


def test_a_damaged_folder(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    (tmp_path / "image" / "model").write_bytes(b"")
    text = "components.image: expected the complete saved component, got .* copy it again"
    with pytest.raises(WeightsError, match=text):
        spacy.load(tmp_path)
