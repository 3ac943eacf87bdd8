"""``rnnpipe.ImageArchive.v1``: images in a NumPy archive (``.npz``)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rnnpipe.contracts.types import NonNegativeInt, PositiveInt
from rnnpipe.errors import CorpusError, expected
from rnnpipe.training.corpora.examples import Augmenter, Corpus, given, reader
from rnnpipe.training.corpora.images import Picture, Selection, image_corpus


@reader("rnnpipe.ImageArchive.v1")
def ImageArchive(
    path: Path | None,
    images: str = "images",
    labels: str | None = None,
    packed: tuple[PositiveInt, PositiveInt] | None = None,
    share: tuple[float, float] | None = None,
    seed: int = 0,
    limit: NonNegativeInt = 0,
    augmenter: Augmenter | None = None,
) -> Corpus:
    """A document an image, which it carries as ``doc._.image``; the pixels are whole numbers.

    path: the archive.
    images: the name of the array of images, ``(N, H, W)`` or ``(N, H, W, C)``.
    labels: the name of the array of their categories, ``(N,)``, for ``doc.cats``.
    packed: height and width of images that are stored as bits, eight pixels of an image in a byte,
        ``(N, bytes)``, as ``numpy.packbits`` writes them.
    share: ``[from, to]``, which part of the images to read, between 0 and 1: ``[0.0, 0.1]`` is a
        fixed tenth and ``[0.1, 1.0]`` the rest of it; ``None`` for all. The pixels alone decide
        which share an image falls in, so that the same image is never on both sides.
    seed: another number for other shares.
    limit: how many images are read at most; 0 for all.
    augmenter: one of spaCy's ``@augmenters``.

    Raises SettingsError: no path, or a share that is not ``0 <= from < to <= 1``. When read,
    CorpusError: a file that is no such archive, an array that it does not hold or that is not one
    of images or labels, and see :class:`rnnpipe.training.corpora.examples.Corpus`.
    """
    file = given(path)

    def read() -> tuple[Sequence[str], Iterator[Picture]]:
        arrays = _load(file, [images] if labels is None else [images, labels])
        pixels = _pixels(arrays[0], packed, f"{file}, array {images!r}")
        names = [None] * len(pixels) if labels is None else _names(arrays[1], len(pixels), file)
        pictures = (
            Picture(f"{images}[{i}] of {file}", image, name)
            for i, (image, name) in enumerate(zip(pixels, names, strict=True))
        )
        return sorted({name for name in names if name is not None}), pictures

    return image_corpus(str(file), read, Selection(share, seed, limit, augmenter))


def _load(file: Path, names: Sequence[str]) -> list[np.ndarray]:
    if not file.is_file():
        raise CorpusError(
            expected(str(file), "a NumPy archive", "no such file", "Correct the path.")
        )
    do = "Write the archive with numpy.savez, from arrays of numbers or text."
    try:
        archive = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        got = f"no readable archive ({error})"
        raise CorpusError(expected(str(file), "a NumPy archive (.npz)", got, do)) from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise CorpusError(expected(str(file), "a NumPy archive (.npz)", "a single array", do))
    with archive:
        for name in names:
            if name not in archive:
                got = f"no such array (available: {', '.join(archive)})"
                raise CorpusError(expected(str(file), f"an array {name!r}", got))
        try:
            return [archive[name] for name in names]
        except (ValueError, zipfile.BadZipFile, EOFError) as error:  # objects, damaged data
            want = "arrays that can be read without running code"
            raise CorpusError(expected(str(file), want, f"{error}", do)) from error


def _pixels(array: np.ndarray, packed: tuple[int, int] | None, where: str) -> np.ndarray:
    """``(N, H, W, C)`` uint8."""
    if packed is not None:
        size = packed[0] * packed[1]
        if array.dtype != np.uint8 or array.shape[1:] != (-(-size // 8),):
            want = f"uint8 of shape (N, {-(-size // 8)}), {size} bits per image"
            got = f"{array.dtype} of shape {array.shape}"
            raise CorpusError(expected(where, want, got, "Set packed to the size of the images."))
        return np.unpackbits(array, axis=1, count=size).reshape(len(array), *packed, 1)
    if array.ndim not in (3, 4) or array.dtype.kind not in "biu":
        do = "Quantise the pixels to integers; set packed for images stored as bits."
        want = "integers of shape (N, H, W) or (N, H, W, C)"
        raise CorpusError(expected(where, want, f"{array.dtype} of shape {array.shape}", do))
    pixels = array[..., None] if array.ndim == 3 else array
    outside = np.flatnonzero(((pixels < 0) | (pixels > 255)).any(axis=(1, 2, 3)))
    if len(outside):
        got = f"{array[outside[0]].min()} to {array[outside[0]].max()}"
        raise CorpusError(expected(f"{where}, image {outside[0]}", "pixels from 0 to 255", got))
    return pixels.astype(np.uint8)


def _names(labels: np.ndarray, n_images: int, file: Path) -> list[str | None]:
    if labels.shape != (n_images,):
        want = f"a label for each of {n_images} images"
        raise CorpusError(expected(f"{file}, labels", want, f"an array of shape {labels.shape}"))
    return [str(label) for label in labels]
