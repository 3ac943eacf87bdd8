"""Everything that is registered, plugins included, keeps the promises of the conformance kit."""

import numpy as np
import pytest
from building import settings_of
from spacy.tokens import Doc

from rnnpipe.doc_image import register_image
from rnnpipe.testing import registered
from rnnpipe.testing.registered import KINDS


def images(columns):
    """Makes documents whose images have so many pixels, or rows of some columns."""

    def make(vocab, lengths):
        register_image(Doc)
        docs = [Doc(vocab) for _ in lengths]
        for doc, n in zip(docs, lengths, strict=True):
            shape = (1, n, 1) if columns is None else (n, columns, 1)
            doc._.image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
        return docs

    return make


#: No image is empty.
LENGTHS = (5, 3, 10, 1)
PIXELS, ROWS = ({"docs": images(columns), "lengths": LENGTHS} for columns in (None, 4))
OPTIONS = {
    "rnnpipe.Pixels.v1": PIXELS,
    "rnnpipe.PixelRows.v1": ROWS,
    "rnnpipe.ImageGrid.v1": PIXELS,
    "rnnpipe.ImagePixels.v1": PIXELS,
    "rnnpipe.ImageRows.v1": ROWS,
}


def settings(kind, name):
    return settings_of(kind, name) or None


PROMISES = registered(settings=settings, options=OPTIONS)


@pytest.mark.parametrize("promise", PROMISES, ids=str)
def test_promises(promise):
    promise()


def test_parts_of_every_kind_are_there():
    assert {promise.promise.kind for promise in PROMISES} >= set(KINDS)
