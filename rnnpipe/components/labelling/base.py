"""What the components that label tokens, spans, trees and documents share.

A subclass defines the decoder's labels, the conversion of examples to gold annotations, and how the
decoder's answers are read and written on a Doc.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, cast

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from rnnpipe.components.base import RnnPipe
from rnnpipe.components.labelling.network import answers, network_builder, set_labels
from rnnpipe.components.network_model import is_initialized, network_shim
from rnnpipe.contracts.types import Decoder, Labels, TreeDecoder, items_of
from rnnpipe.errors import LabelError, StructureError, WeightsError
from rnnpipe.models.labelling.annotated import AnnotatedDoc
from rnnpipe.parts.embeddings.builder import has_vocabulary


class LabellingPipe(RnnPipe):
    """A component whose model is ``rnnpipe.Network.v1``.

    labels_documents: whether the decoder labels documents, which requires a pooler, or tokens.
    labels_spans: whether it labels the spans of a structure instead of the tokens.
    builds_trees: whether it joins the tokens to trees and labels their nodes.
    exclusive: whether the labels exclude each other.
    """

    labels_documents: ClassVar[bool]
    labels_spans: ClassVar[bool] = False
    builds_trees: ClassVar[bool] = False
    exclusive: ClassVar[bool] = True

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Any, Any],
        name: str,
        scorer: Callable[..., Any] | None,
        **cfg: Any,
    ) -> None:
        """Create the component; ``cfg`` is saved with it and passed to its scorer.

        Raises:
            StructureError: the pooler is missing or superfluous, or the structure's nodes are not
                what the component labels.
        """
        super().__init__(vocab, model, name, scorer, labels=[], **cfg)
        self._rehearsal_model: Model[Any, Any] | None = None
        self._check_pooler()
        self._check_structure()

    def _check_pooler(self) -> None:
        pooler = network_builder(self.model).pooler
        where = f"components.{self.name}.model.pooler"
        if self.labels_documents and pooler is None:
            raise StructureError(
                f"{where}: expected a pooler, since this component labels whole documents, got "
                "none. Set @rnnpipe_poolers, for instance to 'rnnpipe.Attention.v1'."
            )
        if not self.labels_documents and pooler is not None:
            raise StructureError(
                f"{where}: expected no pooler, since this component labels every "
                f"{'span' if self.labels_spans else 'token'}, got a pooler. Remove the block."
            )

    def _check_structure(self) -> None:
        structure = network_builder(self.model).structure
        spans = structure is not None and structure.spans_key is not None
        got = "spans" if spans else items_of(structure)
        want = "spans" if self.labels_spans else "tokens"
        if self.labels_documents or got == want:
            return
        good = "rnnpipe.Constituents.v1" if self.labels_spans else "rnnpipe.DependencyTree.v1"
        raise StructureError(
            f"components.{self.name}.model.structure: expected a structure whose {want} can be "
            f"labelled, got one whose {got} can be labelled. Set @rnnpipe_structures, for "
            f"instance to "
            f"{good!r}."
        )

    def _check_decoder(self) -> None:
        decoder = cast(Decoder, network_shim(self.model).module.decoder)
        if isinstance(decoder, TreeDecoder) != self.builds_trees:
            trees, labels = "a decoder that builds trees", "a decoder that labels given nodes"
            want, got = (trees, labels) if self.builds_trees else (labels, trees)
            good = "rnnpipe.MarginParser.v1" if self.builds_trees else "rnnpipe.Softmax.v1"
            raise StructureError(
                f"components.{self.name}.model.decoder: expected {want}, got "
                f"{type(decoder).__name__}, {got}. Choose another, such as {good!r}."
            )
        if decoder.exclusive != self.exclusive:
            one, several = "labels that exclude each other", "independent labels"
            want, got = (one, several) if self.exclusive else (several, one)
            good = "rnnpipe.Softmax.v1" if self.exclusive else "rnnpipe.Sigmoid.v1"
            raise StructureError(
                f"components.{self.name}.model.decoder: expected a decoder for {want}, got "
                f"{type(decoder).__name__}, for {got}. Choose another, such as {good!r}."
            )

    # -- what a component defines --------------------------------------------------------------

    @abstractmethod
    def output_labels(self) -> Labels:
        """Return the decoder's labels for the component's labels."""

    @abstractmethod
    def find_labels(self, examples: Sequence[Example]) -> Iterable[str]:
        """Return the labels that occur in the gold annotations."""

    @abstractmethod
    def gold(self, example: Example) -> np.ndarray:
        """Return the gold annotation of an example, see :data:`rnnpipe.contracts.types.Gold`."""

    @abstractmethod
    def read(self, decoder: Any, x: Any, lengths: np.ndarray) -> list[Any]:
        """Return one result per document of a bucket, moved off the device."""

    @abstractmethod
    def gold_from(self, results: Sequence[Any]) -> list[np.ndarray]:
        """Convert results of :meth:`read` to gold annotations, for rehearsal."""

    # -- labels --------------------------------------------------------------------------------

    @property
    def label_data(self) -> tuple[str, ...]:
        """The labels as ``spacy init labels`` writes them and ``initialize`` reads them."""
        return self.labels

    @property
    def is_resizable(self) -> bool:
        return True

    def add_label(self, label: str) -> int:
        """Add a label, before or after training. A trained network keeps its weights.

        Returns:
            0 if the label exists already, otherwise 1.
        """
        added = self._add(label)
        if added and is_initialized(self.model):
            set_labels(self.model, self.output_labels())
        return int(added)

    # -- training ------------------------------------------------------------------------------

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        """Learn labels and vocabularies from the examples and build the network.

        labels: as written by ``spacy init labels``; by default they are read from the examples.

        Warns if vocabularies are learnt from examples without labels, such as the placeholder
        examples of ``nlp.initialize()``.

        Raises:
            LabelError: there are no examples or no labels.
            StructureError: the network's parts do not fit each other or this component.
        """
        examples = list(self._valid(get_examples(), "initialize"))
        found = list(self.find_labels(examples) if labels is None else labels)
        for label in found:
            self._add(label)
        self._require_gold(len(examples))
        try:
            self.model.initialize(X=[eg.x for eg in examples], Y=self.output_labels())
        except StructureError as error:
            raise StructureError(f"components.{self.name}.model.{error}") from None
        self._check_decoder()
        facts = network_shim(self.model).facts or {}
        if not found and has_vocabulary(facts["embeddings"]):
            warnings.warn(
                f"components.{self.name}: expected training examples with {self.annotation}, got "
                f"{len(examples)} without, and the network takes its words and characters from "
                f"them. Call nlp.initialize(get_examples) with your training examples.",
                stacklevel=2,
            )

    def _unknown_label(self, label: str) -> LabelError:
        return LabelError(
            f"components.{self.name}: expected one of the {len(self.labels)} labels known at "
            f"initialisation, got {label!r} in a training example. Add it with add_label, or "
            f"initialise from data with all labels."
        )

    def _position(self, label: str) -> int:
        """Return the index of a label; raise LabelError if it is unknown."""
        if label not in self.labels:
            raise self._unknown_label(label)
        return self.labels.index(label)

    def _require_gold(self, n_examples: int) -> None:
        where = f"components.{self.name}"
        if not n_examples:
            raise LabelError(
                f"{where}: expected training examples, got none. Check that [corpora.train] points "
                "to a file with documents in it."
            )
        if not self.labels:
            raise LabelError(
                f"{where}: expected training examples with {self.annotation}, got {n_examples} "
                "examples without. Check that the corpus has the annotation that this component "
                "learns."
            )

    @property
    @abstractmethod
    def annotation(self) -> str:
        """The annotation that the component learns from, for error messages."""

    def learnable(self, examples: Sequence[Example]) -> list[AnnotatedDoc]:
        return [AnnotatedDoc(eg.predicted, self.gold(eg)) for eg in examples]

    def taught(self, teacher: Model[Any, Any], examples: Sequence[Example]) -> list[AnnotatedDoc]:
        docs = [eg.predicted for eg in examples]
        return list(map(AnnotatedDoc, docs, self.gold_from(answers(teacher, docs, self.read))))

    # -- prediction ----------------------------------------------------------------------------

    def predict(self, docs: Iterable[Doc]) -> list[Any]:
        """Return one result per document. The documents do not change."""
        self._require_network()
        docs = list(docs)
        return answers(self.model, docs, self.read) if docs else []

    # -- loading -------------------------------------------------------------------------------

    @contextmanager
    def _loading(self) -> Iterator[None]:
        with super()._loading():
            yield
        self._check_labels()

    def _check_labels(self) -> None:
        facts = network_shim(self.model).facts
        names = list(self.output_labels().names)
        if facts is not None and facts["labels"] != names:
            raise WeightsError(
                f"components.{self.name}: expected weights for the labels {names}, got weights "
                f"for {facts['labels']}. The component's folder is incomplete or was changed: "
                f"copy it again from its source."
            )
