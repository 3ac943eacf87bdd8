"""``rnnpipe.IdxCorpus.v1``: images in IDX files, the format of MNIST."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rnnpipe.contracts.types import Levels, NonNegativeInt
from rnnpipe.errors import CorpusError, expected
from rnnpipe.parts.structures.doc_image import to_levels
from rnnpipe.training.corpora.examples import Augmenter, Corpus, given, reader
from rnnpipe.training.corpora.images import Picture, Selection, image_corpus

_GZIP, _BYTES = b"\x1f\x8b", 8  # the type number of unsigned bytes


@reader("rnnpipe.IdxCorpus.v1")
def IdxCorpus(
    path: Path | None,
    labels: Path | None = None,
    levels: Levels = 256,
    share: tuple[float, float] | None = None,
    seed: int = 0,
    limit: NonNegativeInt = 0,
    augmenter: Augmenter | None = None,
) -> Corpus:
    """A document an image of a file such as ``train-images-idx3-ubyte.gz``, packed by gzip or not.

    path: the file of images.
    labels: the file of their categories, for ``doc.cats``.
    levels: how many values a pixel is to have; the file's 256 are cut into equal steps.
    share, seed, limit, augmenter: as of ``rnnpipe.ImageArchive.v1``.

    Raises SettingsError: no path, or a share that is not ``0 <= from < to <= 1``. When read,
    CorpusError: a file that is none of these or ends too soon, another number of labels, and see
    :class:`rnnpipe.training.corpora.examples.Corpus`.
    """
    file = given(path)

    def read() -> tuple[Sequence[str], Iterator[Picture]]:
        pixels = read_idx(file, 3)
        names = [None] * len(pixels) if labels is None else _names(labels, len(pixels), file)
        pictures = (
            Picture(f"{i} of {file}", to_levels(image[..., None], levels), name)
            for i, (image, name) in enumerate(zip(pixels, names, strict=True))
        )
        return sorted({name for name in names if name is not None}), pictures

    return image_corpus(str(file), read, Selection(share, seed, limit, augmenter))


def _names(labels: Path, n_images: int, images: Path) -> list[str | None]:
    numbers = read_idx(labels, 1)
    if len(numbers) != n_images:
        want = f"a label for each of the {n_images} images of {images}"
        raise CorpusError(expected(str(labels), want, len(numbers), "Choose the matching file."))
    return [str(number) for number in numbers]


def read_idx(file: Path, n_axes: int) -> np.ndarray:
    """The array of unsigned bytes in a file, of that many axes. Raises CorpusError: see above."""
    where, do = str(file), "Correct the path, or download the file again."
    want = f"an IDX file of unsigned bytes with {n_axes} {'axes' if n_axes > 1 else 'axis'}"
    if not file.is_file():
        raise CorpusError(expected(where, want, "no such file", do))
    raw = file.read_bytes()
    if raw.startswith(_GZIP):
        try:
            raw = gzip.decompress(raw)
        except (EOFError, OSError, zlib.error) as error:
            raise CorpusError(expected(where, "a complete gzip file", f"{error}", do)) from error
    if raw[:4] != bytes([0, 0, _BYTES, n_axes]):
        raise CorpusError(expected(where, want, f"a file that begins with {raw[:4].hex(' ')}", do))
    begin = 4 + 4 * n_axes
    shape = struct.unpack(f">{n_axes}I", raw[4:begin].ljust(4 * n_axes, b"\0"))
    size = int(np.prod(shape, dtype=np.int64))
    if len(raw) != begin + size:
        want = f"{begin + size} bytes, as its header says"
        raise CorpusError(expected(where, want, len(raw), do))
    return np.frombuffer(raw, dtype=np.uint8, offset=begin).reshape(shape)
