"""``rnn_lm``: the probability of a text, symbol by symbol, and new text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Token
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from rnnpipe.components.base import RnnPipe
from rnnpipe.components.language.language_model import (
    language_model_builder,
    log_likelihoods,
    with_drawn_targets,
)
from rnnpipe.components.language.lm_text import LanguageModelAlphabet, Writer
from rnnpipe.components.network_model import network_shim
from rnnpipe.contracts.types import (
    BOUNDARY,
    PLACE,
    Adaptation,
    Generated,
    Place,
    SequenceGeneratorBuilder,
    Symbols,
    Text,
)
from rnnpipe.errors import CorpusError, expected
from rnnpipe.models.language.language_model import LanguageModel


@dataclass(frozen=True)
class Likelihood:
    """tokens: ``(T,)`` float32, the log-probability of each token in nats: of its symbols and, for
    characters and bytes, of the space after it. end: of the end symbol, 0 if that does not count.
    symbols: how many symbols those are."""

    tokens: np.ndarray
    end: float
    symbols: int

    @property
    def total(self) -> float:
        return float(self.tokens.sum(dtype=np.float64)) + self.end


class RnnLanguageModel(RnnPipe):
    """A language model over the characters, bytes or tokens of documents.

    Every document is read from a fresh state and a boundary symbol on. Writes
    ``doc._.log_probability``, in nats, of the whole document; ``doc._.symbol_count``, of how many
    symbols; and ``token._.log_probability`` (all at once: ``doc._.token_log_probabilities``), of
    the token given all before it. Makes new text by :meth:`generate` and :meth:`stream`.

    In training, a document that is a chunk of a stream goes on from the state that the chunk before
    has left; see ``rnnpipe.TextStream.v1``.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Any, Any],
        name: str = "rnn_lm",
        *,
        end_symbol: bool = True,
        scorer: Callable[..., Any] | None = None,
    ) -> None:
        """end_symbol: whether a document is followed by an end symbol, which is learnt, counts as
            a symbol in all scores, and ends generated text. Set it to false for streams of text.
        scorer: by default :meth:`cross_entropy`."""
        super().__init__(vocab, model, name, scorer or self.cross_entropy, end_symbol=end_symbol)
        self._rehearsal_model: Model[Any, Any] | None = None
        set_extensions()

    # -- symbols -------------------------------------------------------------------------------

    @property
    def symbols(self) -> Symbols:
        """The vocabulary. Raises ValueError before initialisation."""
        facts = self._require_network()
        if self._built is None or self._built[0] is not facts:
            self._built = facts, language_model_builder(self.model).symbols.build(facts)
        return self._built[1]

    _built: tuple[Any, Symbols] | None = None

    def text_of(self, doc: Doc, place: Place | None = None) -> Text:
        """What the network is given for a document, or for a chunk of a stream."""
        symbols = self.symbols.read(doc)
        if place is not None and place.begin > 0:
            before = self._count_before(doc, place)
            return Text(symbols[before - 1 : -1], symbols[before:], place)
        begun = np.concatenate([[BOUNDARY], symbols])
        if place is None and self.cfg["end_symbol"]:
            return Text(begun, np.append(symbols, BOUNDARY))
        return Text(begun[:-1], symbols, place)

    def _count_before(self, doc: Doc, place: Place) -> int:
        """How many symbols the token before a chunk has, which is read first. Raises CorpusError if
        that token stands at the other end."""
        owners = self.symbols.owners(doc)
        if owners[0] != (len(doc) - 1 if place.backward else 0):
            ways = ("from its beginning", "from its end")
            want = f"a stream in the reading direction of the model, {ways[not place.backward]}"
            do = f"Set backward = {str(not place.backward).lower()} in rnnpipe.TextStream.v1."
            where = f"components.{self.name}"
            raise CorpusError(expected(where, want, f"one {ways[place.backward]}", do))
        return int((owners == owners[0]).sum())

    # -- training ------------------------------------------------------------------------------

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        corpus: Callable[..., Iterable[Any]] | None = None,  # names that spaCy can resolve
    ) -> None:
        """Learn which symbols there are and make the network.

        corpus: a reader whose documents hold all symbols, read once and through. By default the
            examples, which with ``max_epochs = -1`` are the first 100 only.
        RAISES: CorpusError if there is not one symbol.
        """
        examples = get_examples() if corpus is None or nlp is None else corpus(nlp)
        counted = _Counted(eg.x for eg in self._valid(examples, "initialize"))
        facts = language_model_builder(self.model).symbols.measure(counted)
        # Symbols that need no counting (bytes) leave the documents unread.
        if not counted.tokens and not any(map(len, counted)):
            do = "Check that [corpora.train] points to a file with text in it."
            where = f"components.{self.name}"
            raise CorpusError(expected(where, "training documents with text", "no text", do))
        module = language_model_builder(self.model).build(facts)
        network_shim(self.model).set_module(module, facts)

    def learnable(self, examples: Sequence[Example]) -> list[Text]:
        return [self._training_text(eg) for eg in examples]

    def taught(self, teacher: Model[Any, Any], examples: Sequence[Example]) -> list[Text]:
        """The documents with a symbol after every other that the teacher draws."""
        return with_drawn_targets(teacher, [self.text_of(eg.predicted) for eg in examples])

    def _training_text(self, example: Example) -> Text:
        place = example.reference.user_data.get(PLACE)
        return self.text_of(example.predicted, None if place is None else Place(*place))

    # -- prediction ----------------------------------------------------------------------------

    def predict(self, docs: Iterable[Doc]) -> list[Likelihood]:
        """The likelihood of each document; the documents stay as they are."""
        return self.likelihoods(docs, language_model_builder(self.model).adaptation)

    def likelihoods(
        self, docs: Iterable[Doc], adaptation: Adaptation | None = None
    ) -> list[Likelihood]:
        """The likelihood of each document, by the model or as it adapts to the document, such as
        ``NeuralCache(size=1000)``; the documents stay as they are."""
        docs = list(docs)
        scores = log_likelihoods(self.model, [self.text_of(doc) for doc in docs], adaptation)
        return [self._likelihood(doc, score) for doc, score in zip(docs, scores, strict=True)]

    def _likelihood(self, doc: Doc, scores: np.ndarray) -> Likelihood:
        owners = self.symbols.owners(doc)
        tokens = np.bincount(owners, weights=scores[: len(owners)], minlength=len(doc))
        end = float(scores[-1]) if self.cfg["end_symbol"] else 0.0
        return Likelihood(tokens.astype(np.float32), end, len(scores))

    def set_annotations(self, docs: Iterable[Doc], results: Sequence[Likelihood]) -> None:
        for doc, likelihood in zip(docs, results, strict=True):
            doc._.log_probability = likelihood.total
            doc._.symbol_count = likelihood.symbols
            doc._.token_log_probabilities = likelihood.tokens

    def cross_entropy(self, examples: Iterable[Example], **_: Any) -> dict[str, float | None]:
        """How well the texts are predicted. ``None`` where there is no symbol or character.

        lm_nats: cross-entropy, nats a symbol. lm_perplexity: its exponential, a symbol.
        lm_bits_per_character: bits a character of the documents' text, spaces included.
        lm_symbols, lm_characters: how many were counted.
        lm_probability: ``exp(-lm_nats)``, the geometric mean of the symbols' probabilities; the
            higher the better, as spaCy's training loop wants it.
        """
        docs = [example.predicted for example in examples]
        nats = -math.fsum(doc._.log_probability for doc in docs)
        n_symbols = sum(doc._.symbol_count for doc in docs)
        n_characters = sum(len(doc.text) for doc in docs)
        mean = nats / n_symbols if n_symbols else None
        bits = nats / math.log(2) / n_characters if n_characters else None
        return {
            "lm_nats": mean,
            "lm_perplexity": None if mean is None else math.exp(min(mean, 700.0)),
            "lm_bits_per_character": bits,
            "lm_symbols": n_symbols,
            "lm_characters": n_characters,
            "lm_probability": None if mean is None else math.exp(-mean),
        }

    # -- generation ----------------------------------------------------------------------------

    def generate(
        self,
        prompt: str | Doc = "",
        decoder: SequenceGeneratorBuilder | None = None,
        **settings: Any,
    ) -> str:
        """Text that goes on from the prompt, without it: the first of :meth:`generations`."""
        return self.writer.write(self.generations(prompt, decoder, **settings)[0].symbols, prompt)

    def generations(
        self,
        prompt: str | Doc = "",
        decoder: SequenceGeneratorBuilder | None = None,
        **settings: Any,
    ) -> list[Generated]:
        """Texts that go on from the prompt, with the log-probability of each symbol.

        prompt: what comes before, of any length; "" for the beginning of a document.
        decoder: how to choose. By default ``rnnpipe.Sampler.v1``.
        settings: of the sampler: ``max_length``, ``temperature``, ``seed``, ``n_samples``, ...

        Unknown symbols, and the end symbol where there is none, are never chosen; the
        probabilities are those of the model without them.

        Raises SettingsError for an unknown symbol in a string prompt, or settings that are wrong.
        """
        return self.writer.generations(prompt, decoder, settings)

    def stream(
        self,
        prompt: str | Doc = "",
        decoder: SequenceGeneratorBuilder | None = None,
        **settings: Any,
    ) -> Iterator[str]:
        """The text of :meth:`generate`, piece by piece as it is drawn.

        Raises SettingsError as :meth:`generations`, and if the decoder cannot stream, or would make
        several texts."""
        return self.writer.stream(prompt, decoder, settings)

    @property
    def writer(self) -> Writer:
        """Makes text with the weights as they are now."""
        shim = network_shim(self.model)
        alphabet = LanguageModelAlphabet(
            self.symbols, self.cfg["end_symbol"], f"components.{self.name}"
        )
        version = shim.weights_version
        if self._writer is None or self._writer[0] != version:
            with shim.evaluation() as module:
                self._writer = version, Writer(cast(LanguageModel, module), alphabet)
        return self._writer[1]

    _writer: tuple[int, Writer] | None = None


class _Counted:
    """Documents, and how many tokens there were when they have been gone through."""

    def __init__(self, docs: Iterable[Doc]) -> None:
        self._docs = docs
        self.tokens = 0

    def __iter__(self) -> Iterator[Doc]:
        for doc in self._docs:
            self.tokens += len(doc)
            yield doc


def set_extensions() -> None:
    """Register what documents and tokens are given; what others have registered is left."""
    for name in ("log_probability", "symbol_count", "token_log_probabilities"):
        if not Doc.has_extension(name):
            Doc.set_extension(name, default=None)
    if not Token.has_extension("log_probability"):
        Token.set_extension("log_probability", getter=_token_log_probability)


def _token_log_probability(token: Token) -> float | None:
    scores = token.doc._.token_log_probabilities
    return None if scores is None else float(scores[token.i])
