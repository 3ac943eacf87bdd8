"""Readers of images: what they make of files, and what they say of files that hold none."""

import gzip
import struct

import numpy as np
import pytest
import spacy
from PIL import Image
from spacy.tokens import Doc, DocBin

from rnnpipe.errors import CorpusError, SettingsError, StructureError
from rnnpipe.training.corpora.given_annotation import GivenAnnotation
from rnnpipe.training.corpora.idx import IdxCorpus
from rnnpipe.training.corpora.image_archive import ImageArchive
from rnnpipe.training.corpora.image_folder import ImageFolder

NLP = spacy.blank("en")
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 4, 6), dtype=np.uint8)
PIXELS[1, 0, 0] = 0
LABELS = np.arange(40) % 3


def read(corpus):
    """The images and categories of the examples; the pipeline is given the images alone."""
    examples = list(corpus(NLP))
    for eg in examples:
        assert np.array_equal(eg.predicted._.image, eg.reference._.image)
        assert eg.predicted.cats == {} and len(eg.reference) == 0
    images = [eg.reference._.image for eg in examples]
    assert all(image.dtype == np.uint8 and image.ndim == 3 for image in images)
    return images, [eg.reference.cats for eg in examples]


@pytest.fixture
def archive(tmp_path):
    def write(**arrays):
        np.savez(tmp_path / "a.npz", **arrays)
        return tmp_path / "a.npz"

    return write


def test_an_archive(archive):
    path = archive(images=PIXELS, target=LABELS)
    images, cats = read(ImageArchive(path, labels="target", limit=5))
    assert np.array_equal(images, PIXELS[:5, ..., None])
    assert cats[1] == {"0": 0.0, "1": 1.0, "2": 0.0}
    images, cats = read(ImageArchive(path))
    assert len(images) == 40 and cats == [{}] * 40


def test_colours_and_other_whole_numbers(archive):
    colours = np.stack([PIXELS] * 3, axis=-1).astype(np.int64)
    images, _ = read(ImageArchive(archive(x=colours), images="x"))
    assert np.array_equal(images, colours)


def test_packed_bits(archive):
    bits = PIXELS % 2
    path = archive(train=np.packbits(bits.reshape(40, -1), axis=1))
    images, _ = read(ImageArchive(path, images="train", packed=(4, 6)))
    assert np.array_equal(images, bits[..., None])
    bits = bits[:, :, :5]  # 20 bits, which do not fill their last byte
    path = archive(train=np.packbits(bits.reshape(40, -1), axis=1))
    assert np.array_equal(read(ImageArchive(path, "train", packed=(4, 5)))[0], bits[..., None])


def test_shares_keep_equal_images_together(archive):
    path = archive(images=np.concatenate([PIXELS, PIXELS]))
    low, high = (read(ImageArchive(path, share=share))[0] for share in [(0, 0.4), (0.4, 1)])
    assert len(low) + len(high) == 80 and 10 < len(low) < 60
    assert not {x.tobytes() for x in low} & {x.tobytes() for x in high}


@pytest.mark.parametrize(
    ("arrays", "settings", "message"),
    [
        ({"x": PIXELS}, {}, "expected an array 'images', got no such array (available: x)."),
        (
            {"images": PIXELS / 255},
            {},
            "expected integers of shape (N, H, W) or (N, H, W, C), got 'float64 of shape",
        ),
        (
            {"images": PIXELS + 250 * (LABELS == 1)[:, None, None]},
            {},
            f"image 1: expected pixels from 0 to 255, got '250 to {250 + int(PIXELS[1].max())}'.",
        ),
        (
            {"images": PIXELS.reshape(40, -1)},
            {"packed": (28, 28)},
            "expected uint8 of shape (N, 98), 784 bits per image, got 'uint8 of shape (40, 24)'.",
        ),
        (
            {"images": PIXELS, "y": LABELS[:-1]},
            {"labels": "y"},
            "labels: expected a label for each of 40 images, got 'an array of shape (39,)'.",
        ),
        (
            {"images": np.array([{}], dtype=object)},
            {},
            "expected arrays that can be read without running code, got 'Object arrays cannot",
        ),
    ],
)
def test_archives_that_hold_no_images(archive, arrays, settings, message):
    with pytest.raises(CorpusError) as error:
        read(ImageArchive(archive(**arrays), **settings))
    assert message in str(error.value) and "a.npz" in str(error.value)


def test_files_that_are_no_archives(tmp_path):
    with pytest.raises(CorpusError, match="x.npz: expected a NumPy archive, got no such file"):
        read(ImageArchive(tmp_path / "x.npz"))
    (tmp_path / "x.npz").write_text("text")
    with pytest.raises(
        CorpusError, match=r"archive \(.npz\), got no readable archive \(.+\). Write"
    ):
        read(ImageArchive(tmp_path / "x.npz"))
    np.save(tmp_path / "x.npy", PIXELS)
    with pytest.raises(CorpusError, match="got 'a single array'. Write the archive with num"):
        read(ImageArchive(tmp_path / "x.npy"))
    np.savez(tmp_path / "none.npz", images=PIXELS[:0])
    with pytest.raises(CorpusError, match="none.npz: expected at least one document, got no doc"):
        read(ImageArchive(tmp_path / "none.npz"))


def idx(array):
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return head + array.astype(np.uint8).tobytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_files(tmp_path, pack):
    (tmp_path / "images").write_bytes(pack(idx(PIXELS)))
    (tmp_path / "labels").write_bytes(pack(idx(LABELS)))
    images, cats = read(IdxCorpus(tmp_path / "images", tmp_path / "labels"))
    assert np.array_equal(images, PIXELS[..., None])
    assert cats[2] == {"0": 0.0, "1": 0.0, "2": 1.0}
    images, cats = read(IdxCorpus(tmp_path / "images", levels=2, limit=3))
    assert np.array_equal(images, PIXELS[:3, ..., None] >= 128) and cats == [{}] * 3


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (
            None,
            None,
            "images: expected an IDX file of unsigned bytes with 3 axes, got no such file",
        ),
        (idx(LABELS), None, "with 3 axes, got 'a file that begins with 00 00 08 01'."),
        (idx(PIXELS)[:-1], None, "images: expected 976 bytes, as its header says, got 975."),
        (
            gzip.compress(idx(PIXELS), mtime=0)[:50],
            None,
            "images: expected a complete gzip file, got",
        ),
        (idx(PIXELS), idx(LABELS[1:]), "labels: expected a label for each of the 40 images of"),
        (idx(PIXELS), idx(PIXELS), "labels: expected an IDX file of unsigned bytes with 1 axis"),
    ],
)
def test_files_that_are_no_idx(tmp_path, images, labels, message):
    for name, content in (("images", images), ("labels", labels)):
        if content is not None:
            (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError) as error:
        read(IdxCorpus(tmp_path / "images", labels and tmp_path / "labels"))
    assert message in str(error.value)


@pytest.fixture
def folder(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
    for i, image in enumerate(PIXELS[:5]):
        Image.fromarray(image).save(tmp_path / ("cat" if i < 3 else "dog") / f"{i}.png")
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    return tmp_path


def test_a_folder_of_png(folder):
    images, cats = read(ImageFolder(folder))
    assert np.array_equal(images, PIXELS[[0, 3, 1, 4, 2], ..., None])
    assert cats[0] == {"cat": 1.0, "dog": 0.0}
    assert np.array_equal(read(ImageFolder(folder, levels=2))[0][0][..., 0], PIXELS[0] >= 128)
    images, cats = read(ImageFolder(folder / "cat"))
    assert len(images) == 3 and cats == [{}] * 3


def test_colours_of_png(tmp_path):
    colours = np.stack([PIXELS[0], PIXELS[1], PIXELS[2]], axis=-1)
    Image.fromarray(colours).save(tmp_path / "1.png")
    Image.fromarray(colours).quantize(24).save(tmp_path / "2.png")
    images, _ = read(ImageFolder(tmp_path))
    assert np.array_equal(images[0], colours) and images[1].shape == colours.shape


def test_a_folder_of_mixed_sizes(folder):
    Image.fromarray(PIXELS[0][:3]).save(folder / "dog" / "5.png")
    with pytest.raises(CorpusError) as error:
        read(ImageFolder(folder))
    assert str(error.value) == (
        f"{folder / 'dog' / '5.png'}: expected images of one size, 4 x 6 x 1 like "
        f"{folder / 'cat' / '0.png'}, got '3 x 6 x 1'. Crop, pad or scale them to one size."
    )


def test_files_that_are_no_png(folder):
    bad = folder / "cat" / "9.png"
    Image.fromarray(PIXELS[0]).convert("RGBA").save(bad)
    with pytest.raises(
        CorpusError, match="9.png: expected a grey or colour image, got 'one of RGB"
    ):
        read(ImageFolder(folder))
    bad.write_bytes((folder / "cat" / "0.png").read_bytes()[:60])
    with pytest.raises(CorpusError, match=r"9.png: expected a PNG file, got no readable image \("):
        read(ImageFolder(folder))
    bad.write_text("text")
    with pytest.raises(CorpusError, match=r"9.png: expected a PNG file, got no readable image \("):
        read(ImageFolder(folder))
    with pytest.raises(CorpusError, match="expected a folder, got no such folder. Correct the"):
        read(ImageFolder(folder / "nothing"))
    (folder / "empty").mkdir()
    with pytest.raises(
        CorpusError, match="empty: expected at least one document, got no documents"
    ):
        read(ImageFolder(folder / "empty"))


def test_png_without_pillow(folder, monkeypatch):
    monkeypatch.setattr("rnnpipe.training.corpora.png.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"got no Pillow. Run pip install 'rnnpipe\[images\]'"):
        ImageFolder(folder)


def test_images_in_spacys_files(folder, tmp_path):
    docs = [eg.reference for eg in ImageFolder(folder)(NLP)]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "x.spacy")
    images, cats = read(GivenAnnotation(tmp_path / "x.spacy", ["image"]))
    assert np.array_equal(images, [doc._.image for doc in docs])
    assert cats == [doc.cats for doc in docs]
    DocBin(docs=[Doc(NLP.vocab, words=["Hi"])]).to_disk(tmp_path / "x.spacy")
    with pytest.raises(StructureError, match="the document 'Hi ': expected an image in doc"):
        read(GivenAnnotation(tmp_path / "x.spacy", ["image"]))
