"""``rnn_image``: the probability of an image, pixel by pixel, and image generation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from rnnpipe.components.base import RnnPipe
from rnnpipe.components.images.image_model import (
    generate,
    log_likelihoods,
    set_image_facts,
    set_image_labels,
)
from rnnpipe.components.network_model import is_initialized
from rnnpipe.errors import CorpusError, LabelError, SettingsError, StructureError, expected
from rnnpipe.models.images.image_model import Picture
from rnnpipe.parts.structures.doc_image import SOURCE, called, image_of, register_image


class RnnImageModel(RnnPipe):
    """A model of the images that documents carry. All images have the same size.

    Writes ``doc._.image_log_probability``, the log-probability of the whole image in nats.
    Generates images with :meth:`generate`, and completes partly given images with :meth:`complete`.

    Images may be conditioned on a class: the class is learnt from the true category in the
    reference's ``doc.cats``, and images are drawn for a label. The probability of an image is then
    the mean over all classes, each equally probable: ``p(x) = mean_k p(x | k)``.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Any, Any],
        name: str = "rnn_image",
        *,
        conditional: bool = False,
        scorer: Callable[..., Any] | None = None,
    ) -> None:
        """Create the component.

        conditional: whether images are conditioned on a class.
        scorer: by default :meth:`negative_log_likelihood`.
        """
        scorer = scorer or self.negative_log_likelihood
        super().__init__(vocab, model, name, scorer, conditional=conditional, labels=[])
        self._rehearsal_model: Model[Any, Any] | None = None
        register_image(Doc)
        if not Doc.has_extension("image_log_probability"):
            Doc.set_extension("image_log_probability", default=None)

    # -- classes -------------------------------------------------------------------------------

    @property
    def label_data(self) -> tuple[str, ...]:
        """The labels as ``spacy init labels`` writes them and ``initialize`` reads them."""
        return self.labels

    def add_label(self, label: str) -> int:
        """Add a class, before or after training. A trained model keeps its weights.

        Returns:
            0 if the label exists already, otherwise 1.

        Raises:
            LabelError: images are not conditioned on a class.
        """
        self._require_classes(label)
        added = self._add(label)
        if added and is_initialized(self.model):
            set_image_labels(self.model, self.labels)
        return int(added)

    def _require_classes(self, label: str) -> None:
        if not self.cfg["conditional"]:
            do = "Set conditional = true to condition images on classes."
            want = "no label, since images are not conditioned on a class"
            raise LabelError(expected(f"components.{self.name}", want, label, do))

    def _number(self, label: str) -> int:
        self._require_classes(label)
        if label not in self.labels:
            want = f"one of the classes {list(self.labels)}"
            do = "Choose one of them, or add the label with add_label."
            raise LabelError(expected(f"components.{self.name}", want, label, do))
        return self.labels.index(label)

    def _true_label(self, example: Example) -> str | None:
        true = [label for label, value in example.reference.cats.items() if value == 1.0]
        if len(true) > 1:
            do = "Keep only one of them in doc.cats."
            where = f"components.{self.name}: {called(example.reference)}"
            raise LabelError(expected(where, "at most one true category", true, do))
        return true[0] if true else None

    # -- training ------------------------------------------------------------------------------

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        """Learn the size of the images and their classes, and build the network.

        labels: as written by ``spacy init labels``; by default they are read from the examples.

        Raises:
            CorpusError: there are no examples.
            LabelError: images are to be conditioned on a class and none has one.
            StructureError: a document has no image that the model can read, or the network's parts
                do not fit the images.
        """
        where = f"components.{self.name}"
        shape: Sequence[int] | None = None
        true: set[str | None] = set()
        for example in self._valid(get_examples(), "initialize"):
            # All of them, so that a bad one is found before training.
            shape = self._pixels(example.predicted, shape).shape
            if self.cfg["conditional"] and labels is None:
                true.add(self._true_label(example))
        if shape is None:
            do = "Check that [corpora.train] points to images."
            raise CorpusError(expected(where, "training examples", "no examples", do))
        if self.cfg["conditional"]:
            found = sorted(filter(None, true)) if labels is None else labels
            for label in found:
                self._add(label)
            if not self.labels:
                do = "Set doc.cats, set the labels of the corpus, or set conditional = false."
                want = "images with a category in doc.cats"
                raise LabelError(expected(where, want, "no categories", do))
        try:
            set_image_facts(self.model, shape, self.labels)
        except StructureError as error:
            raise StructureError(f"{where}.model.{error}") from None

    def learnable(self, examples: Sequence[Example]) -> list[Picture]:
        """Return the images; if they are conditioned on a class, only those with one."""
        shape = self.shape
        if not self.cfg["conditional"]:
            return [Picture(self._pixels(eg.predicted, shape)) for eg in examples]
        return [
            Picture(self._pixels(eg.predicted, shape), self._number(label))
            for eg in examples
            if (label := self._true_label(eg)) is not None
        ]

    def taught(self, teacher: Model[Any, Any], examples: Sequence[Example]) -> list[Picture]:
        """Return images drawn by the teacher, one for each learnable image and of its class."""
        labels = [picture.label for picture in self.learnable(examples)]
        if not labels:
            return []
        classes = [label for label in labels if label is not None] or None
        height, width, _ = self.shape
        drawn = generate(teacher, len(labels), height, width, 1.0, None, classes)
        return list(map(Picture, drawn, labels))

    # -- prediction ----------------------------------------------------------------------------

    @property
    def levels(self) -> int:
        """Number of values of a pixel channel."""
        return cast(int, self.model.attrs["levels"])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the images; ValueError before initialisation."""
        facts = self._require_network()
        return facts["height"], facts["width"], facts["channels"]

    def predict(self, docs: Iterable[Doc]) -> list[float]:
        """Return the log-probability of each document's image in nats. The documents do not
        change."""
        shape = self.shape
        pixels = [self._pixels(doc, shape) for doc in docs]
        if not self.labels:
            alone: list[float] = log_likelihoods(self.model, [Picture(x) for x in pixels]).tolist()
            return alone
        given = [
            log_likelihoods(self.model, [Picture(x, number) for x in pixels])
            for number in range(len(self.labels))
        ]
        mean: list[float] = (np.logaddexp.reduce(given) - math.log(len(given))).tolist()
        return mean

    def set_annotations(self, docs: Iterable[Doc], results: Sequence[float]) -> None:
        for doc, log_probability in zip(docs, results, strict=True):
            doc._.image_log_probability = log_probability

    def negative_log_likelihood(
        self, examples: Iterable[Example], **_: Any
    ) -> dict[str, float | None]:
        """Score the predictions of the images; ``None`` if there are no images. Images that an
        error handler has skipped do not count.

        image_nats: negative log-likelihood in nats per image.
        image_bits_per_dim: the same in bits per pixel channel.
        image_probability: geometric mean of the probabilities of the pixel channels; higher is
            better, as spaCy's training loop requires.
        """
        docs = [eg.predicted for eg in examples if eg.predicted._.image_log_probability is not None]
        nats = -math.fsum(doc._.image_log_probability for doc in docs)
        n_dims = sum(image_of(doc).size for doc in docs)
        mean = nats / n_dims if n_dims else None
        return {
            "image_nats": nats / len(docs) if docs else None,
            "image_bits_per_dim": None if mean is None else mean / math.log(2),
            "image_probability": None if mean is None else math.exp(-mean),
        }

    def _pixels(self, doc: Doc, shape: Sequence[int] | None) -> np.ndarray:
        """Return the document's image; raise StructureError if there is none that the model can
        read, or its shape differs from the others'."""
        pixels = image_of(doc, None if shape is None else shape[2], self.levels)
        if shape is not None and pixels.shape != tuple(shape):
            want = f"an image of {shape[0]} x {shape[1]} pixels, the size of the training images"
            got = f"{pixels.shape[0]} x {pixels.shape[1]}"
            raise StructureError(expected(called(doc), want, got, "Crop, pad or scale the image."))
        return pixels

    # -- new images ----------------------------------------------------------------------------

    def generate(
        self,
        n: int = 1,
        height: int | None = None,
        width: int | None = None,
        *,
        temperature: float = 1.0,
        seed: int | None = None,
        label: str | None = None,
    ) -> np.ndarray:
        """Generate images, ``(n, H, W, C)`` uint8.

        height, width: by default those of the training images.
        temperature: 1 samples from the model; lower values favour probable pixels; 0 takes the most
            probable ones.
        seed: random seed. Image i depends on the seed and on i, not on n.
        label: class of all images, if they are conditioned on one; by default the classes
            alternate.

        Raises:
            SettingsError: a setting is out of range.
            LabelError: the label is unknown.
        """
        height = self.shape[0] if height is None else height
        width = self.shape[1] if width is None else width
        return self._draw(n, height, width, temperature, seed, label)

    def complete(
        self,
        image: np.ndarray,
        known: np.ndarray | None = None,
        n: int = 1,
        *,
        temperature: float = 1.0,
        seed: int | None = None,
        label: str | None = None,
    ) -> np.ndarray:
        """Complete an image of which a part is given, ``n`` times: ``(n, H, W, C)`` uint8. A drawn
        pixel depends only on the pixels above it and to its left.

        image: ``(H, W, C)`` or ``(H, W)`` uint8.
        known: ``(H, W)`` bool, true where the image is given; by default its upper half.
        temperature, seed, label: see :meth:`generate`.

        Raises:
            SettingsError, LabelError: see :meth:`generate`.
            StructureError: the model cannot read the image.
        """
        doc = Doc(self.vocab)
        doc._.image = image
        doc.user_data[SOURCE] = "to complete"
        pixels = image_of(doc, self.shape[2], self.levels)
        if known is None:
            known = np.zeros(pixels.shape[:2], dtype=bool)
            known[: len(pixels) // 2] = True
        known = np.asarray(known)
        if known.shape != pixels.shape[:2] or known.dtype != np.bool_:
            want = f"a boolean array of shape {pixels.shape[:2]}, true where pixels are known"
            got = f"{known.dtype} of shape {known.shape}"
            raise SettingsError(expected(f"components.{self.name}: known", want, got))
        height, width, _ = pixels.shape
        return self._draw(n, height, width, temperature, seed, label, pixels, known)

    def _draw(
        self,
        n: int,
        height: int,
        width: int,
        temperature: float,
        seed: int | None,
        label: str | None,
        given: np.ndarray | None = None,
        known: np.ndarray | None = None,
    ) -> np.ndarray:
        where = f"components.{self.name}"
        for setting, value in (("n", n), ("height", height), ("width", width)):
            if value < 1:
                raise SettingsError(expected(f"{where}: {setting}", "1 or more", value))
        if not (math.isfinite(temperature) and temperature >= 0):
            raise SettingsError(expected(f"{where}: temperature", "0 or more", temperature))
        classes = None
        if label is not None:
            classes = [self._number(label)] * n
        elif self.labels:
            classes = [i % len(self.labels) for i in range(n)]
        return generate(self.model, n, height, width, temperature, seed, classes, given, known)
