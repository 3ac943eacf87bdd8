"""The image that a document carries."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin

from rnnpipe.errors import StructureError
from rnnpipe.parts.structures.doc_image import (
    SOURCE,
    from_levels,
    image_of,
    register_image,
    to_levels,
)

NLP = spacy.blank("en")
IMAGE = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
register_image(Doc)


def doc_with(image, text="a picture"):
    doc = NLP.make_doc(text)
    doc._.image = image
    return doc


def test_grey_images_have_one_channel():
    assert np.array_equal(image_of(doc_with(IMAGE)), IMAGE)
    assert np.array_equal(image_of(doc_with(IMAGE[..., 0])), IMAGE[..., :1])
    assert image_of(doc_with(IMAGE), channels=3, levels=24).shape == (2, 4, 3)


def test_it_is_stored_with_the_document():
    doc = doc_with(IMAGE)
    stored = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (from_bin,) = DocBin(store_user_data=True).from_bytes(stored).get_docs(NLP.vocab)
    for again in (from_bin, Doc(NLP.vocab).from_bytes(doc.to_bytes()), doc.copy()):
        assert np.array_equal(image_of(again), IMAGE)
    register_image(Doc)
    assert np.array_equal(doc._.image, IMAGE)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "an image in doc._.image, got no image. Set it to a numpy array of uint8"),
        ([[0, 1]], "an image that is a numpy array of uint8, got 'list'. Convert it"),
        (IMAGE / 255, "an image that is a numpy array of uint8, got dtype('float64')."),
        (IMAGE[0, 0], "an image of height x width x channels pixels, got (3,). Reshape it."),
        (IMAGE[:0], "an image of height x width x channels pixels, got (0, 4, 3). Reshape it."),
        (IMAGE, "an image of 1 channel, got 3. Convert the image, or set channels."),
        (IMAGE[..., 0], "pixels from 0 to 16, got 21. Quantise the image, or set levels."),
    ],
)
def test_what_is_no_image(image, message):
    with pytest.raises(StructureError) as error:
        image_of(doc_with(image), channels=1, levels=17)
    assert str(error.value).startswith(f"the document 'a picture': expected {message}")


def test_errors_name_the_source():
    doc = doc_with(None, "")
    doc.user_data[SOURCE] = "images[3] of a.npz"
    with pytest.raises(StructureError, match=r"^the image images\[3\] of a.npz: expected an image"):
        image_of(doc)


@pytest.mark.parametrize("levels", range(2, 257))
def test_levels_come_back(levels):
    pixels = np.arange(levels, dtype=np.uint8)
    spread = from_levels(pixels, levels)
    assert (spread[0], spread[-1]) == (0, 255)
    assert np.array_equal(to_levels(spread, levels), pixels)
    every = to_levels(np.arange(256, dtype=np.uint8), levels)
    assert np.ptp(np.bincount(every, minlength=levels)) <= 1
