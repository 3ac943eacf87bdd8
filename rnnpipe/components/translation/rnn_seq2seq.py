"""``rnn_seq2seq``: one text to another, such as spelling to sound or French to English."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, cast

import numpy as np
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from rnnpipe.components.base import RnnPipe
from rnnpipe.components.language.lm_text import LanguageModelAlphabet
from rnnpipe.components.network_model import network_shim
from rnnpipe.components.translation.seq2seq import seq2seq_builder
from rnnpipe.contracts.types import (
    BOUNDARY,
    UNKNOWN,
    Generated,
    SequenceGeneratorBuilder,
    Symbols,
    Text,
)
from rnnpipe.errors import LabelError, SettingsError, expected
from rnnpipe.models.translation.decoding import search as run_search
from rnnpipe.models.translation.images import ImageReader, ImageSource, Sight
from rnnpipe.models.translation.model import Pair, Seq2Seq
from rnnpipe.parts.structures.doc_image import register_image


@dataclass(frozen=True)
class Translation:
    """pieces: the text by symbols. log_probability: of all pieces and the end, in nats. score: the
        ranking score of the search.
    attention: ``(pieces, source symbols)`` float32, the weight of each source symbol for each
        piece; ``None`` without attention.
    """

    text: str
    pieces: list[str]
    log_probability: float
    score: float
    attention: np.ndarray | None


class RnnSeq2Seq(RnnPipe):
    """A sequence-to-sequence component: writes one text per document.

    It learns from ``doc._.translation`` of reference documents, and sets on each document
    ``doc._.translation``, the text; ``doc._.translation_log_probability``, in nats;
    ``doc._.translation_pieces``, the text by symbols; and ``doc._.translation_attention``, whose
    row i holds the weight of each symbol of the document (:meth:`source_pieces`) for piece i.

    With ``rnnpipe.ImageToText.v1`` it reads ``doc._.image`` instead of the document's symbols.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Any, Any],
        name: str = "rnn_seq2seq",
        *,
        search: SequenceGeneratorBuilder,
        attribute: str = "translation",
        copy_unknown: bool = False,
        scorer: Callable[..., Any] | None = None,
    ) -> None:
        """Create the component.

        search: search for the text: a beam or a sampler.
        attribute: extension attribute of documents to write and to learn from.
        copy_unknown: whether to replace an unknown symbol in the text by the source symbol with the
            largest attention weight (Luong et al. 2015); otherwise unknown symbols are never
            chosen.

        Raises:
            SettingsError: ``copy_unknown`` is set without attention or for images.
        """
        super().__init__(vocab, model, name, scorer, attribute=attribute, copy_unknown=copy_unknown)
        self.search = search
        if not isinstance(search, SequenceGeneratorBuilder):
            want = "a block with @rnnpipe_decoders that generates text, such as rnnpipe.Beam.v1"
            raise SettingsError(expected(f"components.{name}.search", want, search))
        builder, where = seq2seq_builder(model), f"components.{name}.copy_unknown"
        if isinstance(builder.source, ImageSource):
            register_image(Doc)
            if copy_unknown:
                want = "false for images, which have no symbols to copy"
                raise SettingsError(expected(where, want, True, "Remove copy_unknown."))
        if copy_unknown and builder.attention is None:
            do = "Set the model's attention, or remove copy_unknown."
            raise SettingsError(expected(where, "false without attention", True, do))
        self._tokenizer = Tokenizer(vocab)  # splits at white space and nowhere else
        for end in ("", "_log_probability", "_pieces", "_attention"):
            if not Doc.has_extension(attribute + end):
                Doc.set_extension(attribute + end, default=None)

    # -- symbols -------------------------------------------------------------------------------

    @property
    def source_symbols(self) -> Symbols | ImageReader:
        """The vocabulary of the documents, or the reader of their images; ValueError before
        initialisation."""
        return self._symbols()[0]

    @property
    def target_symbols(self) -> Symbols:
        """The vocabulary of the texts to write."""
        return self._symbols()[1]

    def _symbols(self) -> tuple[Symbols | ImageReader, Symbols]:
        facts = self._require_network()
        if self._built is None or self._built[0] is not facts:
            builder = seq2seq_builder(self.model)
            source: Any = builder.source.build(facts["source"])
            target = source if builder.target is None else builder.target.build(facts["target"])
            self._built = facts, (source, target)
        return self._built[1]

    _built: tuple[Any, tuple[Any, Any]] | None = None

    def source_pieces(self, doc: Doc) -> list[str]:
        """Return the text of each source symbol, or a name of each part of the image: the labels of
        the attention's columns."""
        return self.source_symbols.pieces(doc)

    def pair(self, doc: Doc, text: str) -> Pair:
        """Return the network's input for a document and its translation."""
        source, target = self._symbols()
        return _pair(source.read(doc), target.read(self._tokenizer(text)))

    # -- training ------------------------------------------------------------------------------

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        corpus: Callable[..., Iterable[Any]] | None = None,  # names that spaCy can resolve
    ) -> None:
        """Learn the symbols and build the network.

        corpus: reader whose examples contain all symbols. By default the training examples, which
            with ``max_epochs = -1`` are the first 100 only.

        Raises:
            LabelError: no example has a text to learn.
        """

        def examples() -> Iterable[Example]:
            read = get_examples() if corpus is None or nlp is None else corpus(nlp)
            return self._valid(read, "initialize")

        if not any(True for _ in self._targets(examples())):
            where, attribute = f"components.{self.name}", self.cfg["attribute"]
            want = f"training examples with reference._.{attribute}"
            do = "Read them with rnnpipe.ParallelCorpus.v1, or set it on the reference documents."
            raise LabelError(expected(where, want, "no text to learn", do))
        sources = (eg.x for eg in examples())
        targets = (self._tokenizer(text) for text in self._targets(examples()))
        builder = seq2seq_builder(self.model)
        if builder.target is None:
            facts = {"source": builder.source.measure(chain(sources, targets)), "target": None}
        else:
            measured = builder.source.measure(sources), builder.target.measure(targets)
            facts = dict(zip(("source", "target"), measured, strict=True))
        network_shim(self.model).set_module(builder.build(facts), facts)

    def _targets(self, examples: Iterable[Example]) -> Iterator[str]:
        return (text for eg in examples if (text := self._target(eg)) is not None)

    def _target(self, example: Example) -> str | None:
        attribute = self.cfg["attribute"]
        text = example.reference._.get(attribute)
        if text is None or isinstance(text, str):
            return text
        where = f"components.{self.name}: reference._.{attribute}"
        raise LabelError(expected(where, "text", text, "Set it to a string, or to None."))

    def learnable(self, examples: Sequence[Example]) -> list[Pair]:
        """Return the examples that have a text to learn."""
        targets = [(eg, self._target(eg)) for eg in examples]
        return [self.pair(eg.predicted, text) for eg, text in targets if text is not None]

    # -- prediction ----------------------------------------------------------------------------

    def predict(self, docs: Iterable[Doc]) -> list[Translation]:
        """Return the best text for each document. The documents do not change."""
        return [texts[0] for texts in self.translations(docs)]

    def set_annotations(self, docs: Iterable[Doc], results: Sequence[Translation]) -> None:
        attribute = self.cfg["attribute"]
        for doc, translation in zip(docs, results, strict=True):
            doc._.set(attribute, translation.text)
            doc._.set(f"{attribute}_log_probability", translation.log_probability)
            doc._.set(f"{attribute}_pieces", translation.pieces)
            doc._.set(f"{attribute}_attention", translation.attention)

    def translations(
        self, docs: Iterable[Doc], search: SequenceGeneratorBuilder | None = None
    ) -> list[list[Translation]]:
        """Return all texts that the search finds for each document, best first.

        search: replaces the component's own, such as ``Beam(beam_size=10, n_best=10)``.
        """
        docs = list(docs)
        source, target = self._symbols()
        alphabet = LanguageModelAlphabet(target, True, f"components.{self.name}")
        generator = (search or self.search).generator(alphabet)
        forbidden = [] if self.cfg["copy_unknown"] else [UNKNOWN]
        sources = [source.read(doc) for doc in docs]
        with network_shim(self.model).evaluation() as module:
            model = cast(Seq2Seq, module)
            found = run_search(model, sources, generator, forbidden)
            looks = iter(_attention(model, sources, found))
        return [
            [self._translation(text, source.pieces(doc), next(looks)) for text in texts]
            for doc, texts in zip(docs, found, strict=True)
        ]

    def _translation(
        self, found: Generated, sources: list[str], attention: np.ndarray | None
    ) -> Translation:
        write, pieces = self.target_symbols.writer(), []
        for number, symbol in enumerate(found.symbols):
            piece = write(symbol)
            if symbol == UNKNOWN and attention is not None and sources:
                copied = sources[int(attention[number].argmax())].strip()
                piece = piece.replace("\ufffd", copied)
            pieces.append(piece)
        text = "".join(pieces)
        return Translation(text, pieces, found.log_probability, found.score, attention)


def _pair(source: np.ndarray | Sight, target: np.ndarray) -> Pair:
    inputs, targets = np.append(BOUNDARY, target), np.append(target, BOUNDARY)
    return Pair(source, Text(inputs, targets))


def _attention(
    model: Seq2Seq, sources: Sequence[np.ndarray | Sight], found: Sequence[Sequence[Generated]]
) -> list[np.ndarray | None]:
    """Concatenate the attention of all texts, one row per symbol."""
    pairs = [
        _pair(source, np.array(text.symbols, dtype=np.int64))
        for source, texts in zip(sources, found, strict=True)
        for text in texts
    ]
    if model.attend is None:
        return [None] * len(pairs)
    aligned = model.align(pairs)
    return [None if x.attention is None else x.attention[:-1] for x in aligned]
