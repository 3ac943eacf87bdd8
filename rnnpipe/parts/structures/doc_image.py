"""``doc._.image``: the pixels that a document carries.

An image is a numpy array of ``uint8``, ``(H, W, C)``: height, width and channels, row by row from
the top. ``(H, W)`` is read as one channel. Being an extension attribute, it is stored with the
document by spaCy, in ``doc.to_bytes()`` and ``DocBin(store_user_data=True)``.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from rnnpipe.errors import StructureError, expected, opening

_IMAGE = "image"
#: The key of a document's ``user_data`` under which a reader says where its image comes from.
SOURCE = "rnnpipe_image_source"


def register_image(doc_class: Any) -> None:
    """Give spaCy's documents the attribute; one that others have registered is left."""
    if not doc_class.has_extension(_IMAGE):
        doc_class.set_extension(_IMAGE, default=None)


def image_of(doc: Any, channels: int | None = None, levels: int = 256) -> np.ndarray:
    """Return the image of a document, ``(H, W, C)`` uint8.

    channels: how many it must have; ``None``: any number. levels: how many values a pixel may have,
    from 0 on.

    Raises StructureError, with the document, if there is no such image.
    """
    image = getattr(doc._, _IMAGE, None)
    where = called(doc)
    if image is None:
        do = "Set it to a numpy array of uint8, height x width x channels."
        raise StructureError(expected(where, "an image in doc._.image", "no image", do))
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        kind = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        do = "Convert it to integers from 0 to 255 for each pixel and channel."
        raise StructureError(expected(where, "an image that is a numpy array of uint8", kind, do))
    if image.ndim not in (2, 3) or not image.size:
        want = "an image of height x width x channels pixels"
        raise StructureError(expected(where, want, image.shape, "Reshape it."))
    pixels = cast(np.ndarray, image.reshape(*image.shape[:2], -1))
    if channels not in (None, pixels.shape[2]):
        do = "Convert the image, or set channels."
        want = f"an image of {channels} channel{'s' if channels != 1 else ''}"
        raise StructureError(expected(where, want, pixels.shape[2], do))
    if (most := int(pixels.max())) >= levels:
        do = "Quantise the image, or set levels."
        raise StructureError(expected(where, f"pixels from 0 to {levels - 1}", most, do))
    return pixels


def called(doc: Any) -> str:
    """Return a document by the source of its image, or else by its beginning, to start a message
    with."""
    source = doc.user_data.get(SOURCE)
    return opening(doc.text) if source is None else f"the image {source}"


def to_levels(pixels: np.ndarray, levels: int) -> np.ndarray:
    """Pixels of 256 levels as pixels of fewer, in equal steps."""
    return (pixels.astype(np.uint16) * levels >> 8).astype(np.uint8)


def from_levels(pixels: np.ndarray, levels: int) -> np.ndarray:
    """Pixels of that many levels, over the range of 256, rounded up, so that :func:`to_levels`
    undoes it."""
    return (-(pixels.astype(np.int32) * -255 // (levels - 1))).astype(np.uint8)
