"""Documents as their image: nodes, structures, and what pixels become."""

import copy
import json
import pickle

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc

from rnnpipe.errors import StructureError
from rnnpipe.models.labelling.network import to_device
from rnnpipe.parts.embeddings.pixels import PixelRows, Pixels
from rnnpipe.parts.structures.doc_image import register_image
from rnnpipe.parts.structures.images import ImageGrid, ImagePixels, ImageRows
from rnnpipe.structures import Grids, Sequences

NLP = spacy.blank("en")
register_image(Doc)
STRUCTURES = {
    "grid": (ImageGrid, Grids, [6, 4]),
    "pixels": (ImagePixels, Sequences, [6, 4]),
    "rows": (ImageRows, Sequences, [3, 2]),
}


def doc_with(*shape, words=("two", "words")):
    doc = Doc(NLP.vocab, words=list(words))
    doc._.image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    return doc


@pytest.mark.parametrize("name", STRUCTURES)
def test_nodes_of_an_image(name):
    make, kind, counts = STRUCTURES[name]
    reader = pickle.loads(pickle.dumps(make()))
    nodes = [reader.read(doc_with(3, 2)), reader.read(doc_with(2, 2, 3, words=[]))]
    for each, count in zip(nodes, counts, strict=True):
        assert each.tokens.tolist() == each.labelled.tolist() == list(range(count))
        assert each.n_items == count and each.tokens.dtype == np.int64
    structure = reader.build(nodes, torch.device("cpu"))
    assert type(structure) is kind is reader.structure
    assert structure.host_lengths == tuple(counts)
    assert reader.build([], torch.device("cpu")).size == 0
    assert reader.build(nodes, torch.device("meta")).mask.shape == structure.mask.shape


def test_a_grid_has_the_shapes_of_its_images():
    nodes = [ImageGrid().read(doc_with(*shape)) for shape in [(3, 2), (2, 2)]]
    assert ImageGrid().build(nodes, "cpu").shapes == ((3, 2), (2, 2))


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_document_without_an_image(name):
    with pytest.raises(
        StructureError, match="the document 'no picture ': expected an image in doc"
    ):
        STRUCTURES[name][0]().read(Doc(NLP.vocab, words=["no", "picture"]))


@pytest.fixture(params=[Pixels(3, 24), PixelRows(2, 3, 24)])
def embedding(request):
    builder = pickle.loads(pickle.dumps(request.param))
    return builder.build(json.loads(json.dumps(builder.measure({}, NLP.vocab)))).eval()


def vectors(embedding, docs, device="cpu"):
    return embedding(to_device(embedding.featurize(docs), torch.device(device)))


def test_pixels_are_spread_from_minus_one_to_one(embedding):
    docs = [doc_with(4, 2, 3), doc_with(1, 2, 3)]
    found = vectors(embedding, docs)
    assert found.shape == ((10, 3) if embedding.items == "pixels" else (5, 6))
    want = np.concatenate([doc._.image.reshape(-1) for doc in docs]) / 23 * 2 - 1
    np.testing.assert_allclose(found.flatten(), want, atol=1e-6)
    assert torch.equal(found, torch.cat([vectors(embedding, [doc]) for doc in docs]))
    assert vectors(embedding, []).shape == (0, embedding.n_out)
    assert vectors(embedding, docs, "meta").shape == found.shape
    for other in (copy.deepcopy(embedding), pickle.loads(pickle.dumps(embedding))):
        assert torch.equal(vectors(other, docs), found)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 2), "expected an image of 3 channels, got 1. Convert"),
        ((5, 2, 3), "expected pixels from 0 to 23, got 29. Quantise the image, or set levels."),
    ],
)
def test_images_of_another_kind(embedding, shape, message):
    with pytest.raises(StructureError) as error:
        vectors(embedding, [doc_with(4, 2, 3), doc_with(*shape)])
    assert f"the document 'two words ': {message}" in str(error.value)


def test_rows_of_another_length():
    rows = PixelRows(columns=8).build({})
    with pytest.raises(
        StructureError, match=r"expected an image of 8 columns, got 4. Scale the im"
    ):
        rows.featurize([doc_with(4, 4)])
