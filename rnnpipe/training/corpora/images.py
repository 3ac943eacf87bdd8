"""Images from files to documents: what their readers have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from rnnpipe.errors import CorpusError, expected
from rnnpipe.parts.structures.doc_image import SOURCE, register_image
from rnnpipe.training.corpora.examples import Augmenter, Corpus
from rnnpipe.training.corpora.given_annotation import keep_image
from rnnpipe.training.corpora.shares import Share


class Picture(NamedTuple):
    """source: the file, and where in it. pixels: ``(H, W, C)`` uint8. label: its category, if it
    has one."""

    source: str
    pixels: np.ndarray
    label: str | None


@dataclass(frozen=True)
class Selection:
    """What all readers of images let one choose: see ``rnnpipe.ImageArchive.v1``."""

    share: tuple[float, float] | None
    seed: int
    limit: int
    augmenter: Augmenter | None


def image_corpus(
    where: str,
    open_pictures: Callable[[], tuple[Sequence[str], Iterable[Picture]]],
    selection: Selection,
) -> Corpus:
    """Documents without words that carry an image, with a category each if the images have labels.

    open_pictures: the categories that there are, and the images.

    When read, CorpusError: an image that is not as large as the first.
    """
    part = Share(*(selection.share or (0.0, 1.0)), selection.seed)

    def read(nlp: Language) -> Iterator[Doc]:
        register_image(Doc)
        categories, pictures = open_pictures()
        for picture in _alike(pictures):
            # By its pixels, so that the same image is never on both sides.
            if picture.pixels.tobytes().hex() in part:
                doc = Doc(nlp.vocab)
                doc._.image = picture.pixels
                doc.user_data[SOURCE] = picture.source
                if picture.label is not None:
                    doc.cats = {name: float(name == picture.label) for name in categories}
                yield doc

    return Corpus(read, where, selection.limit, selection.augmenter, keep_image)


def _alike(pictures: Iterable[Picture]) -> Iterator[Picture]:
    first: Picture | None = None
    for picture in pictures:
        first = first or picture
        if picture.pixels.shape != first.pixels.shape:
            want = f"images of one size, {size_of(first.pixels)} like {first.source}"
            do = "Crop, pad or scale them to one size."
            raise CorpusError(expected(picture.source, want, size_of(picture.pixels), do))
        yield picture


def size_of(pixels: np.ndarray) -> str:
    """``"28 x 28 x 1"``: height, width and channels."""
    return " x ".join(map(str, pixels.shape))
