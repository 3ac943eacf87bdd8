"""``rnn_lm``: the probability of a text, symbol by symbol, and text generation."""

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
    characters and bytes, of the following space. end: of the end symbol, 0 if it does not
    count. symbols: number of symbols."""

    tokens: np.ndarray
    end: float
    symbols: int

    @property
    def total(self) -> float:
        return float(self.tokens.sum(dtype=np.float64)) + self.end


class RnnLanguageModel(RnnPipe):
    """A language model over the characters, bytes or tokens of documents.

    Every document is read from a fresh state and a boundary symbol. Writes
    ``doc._.log_probability``, the log-probability of the whole document in nats;
    ``doc._.symbol_count``, its number of symbols; and ``token._.log_probability`` (all at once:
    ``doc._.token_log_probabilities``), that of the token given all previous ones. Generates text
    with :meth:`generate` and :meth:`stream`.

    In training, a document that is a chunk of a stream continues from the state of the previous
    chunk; see ``rnnpipe.TextStream.v1``.
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
        """Create the component.

        end_symbol: whether an end symbol follows each document. It is learnt, counts in all scores
            and ends generated text. Set it to false for streams of text.
        scorer: by default :meth:`cross_entropy`.
        """
        super().__init__(vocab, model, name, scorer or self.cross_entropy, end_symbol=end_symbol)
        self._rehearsal_model: Model[Any, Any] | None = None
        set_extensions()

    # -- symbols -------------------------------------------------------------------------------

    @property
    def symbols(self) -> Symbols:
        """The vocabulary; ValueError before initialisation."""
        facts = self._require_network()
        if self._built is None or self._built[0] is not facts:
            self._built = facts, language_model_builder(self.model).symbols.build(facts)
        return self._built[1]

    _built: tuple[Any, Symbols] | None = None

    def text_of(self, doc: Doc, place: Place | None = None) -> Text:
        """Return the network's input for a document or a chunk of a stream."""
        symbols = self.symbols.read(doc)
        if place is not None and place.begin > 0:
            before = self._count_before(doc, place)
            return Text(symbols[before - 1 : -1], symbols[before:], place)
        begun = np.concatenate([[BOUNDARY], symbols])
        if place is None and self.cfg["end_symbol"]:
            return Text(begun, np.append(symbols, BOUNDARY))
        return Text(begun[:-1], symbols, place)

    def _count_before(self, doc: Doc, place: Place) -> int:
        """Count the symbols of the token before a chunk, which is read first; raise CorpusError if
        that token is at the other end."""
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
        """Learn the symbols and build the network.

        corpus: reader whose documents contain all symbols; it is read once. By default the
            examples, which with ``max_epochs = -1`` are the first 100 only.

        Raises:
            CorpusError: there are no symbols.
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
        """Return the documents with a symbol sampled from the teacher after every symbol."""
        return with_drawn_targets(teacher, [self.text_of(eg.predicted) for eg in examples])

    def _training_text(self, example: Example) -> Text:
        place = example.reference.user_data.get(PLACE)
        return self.text_of(example.predicted, None if place is None else Place(*place))

    # -- prediction ----------------------------------------------------------------------------

    def predict(self, docs: Iterable[Doc]) -> list[Likelihood]:
        """Return the likelihood of each document. The documents do not change."""
        return self.likelihoods(docs, language_model_builder(self.model).adaptation)

    def likelihoods(
        self, docs: Iterable[Doc], adaptation: Adaptation | None = None
    ) -> list[Likelihood]:
        """Return the likelihood of each document, optionally with an adaptation such as
        ``NeuralCache(size=1000)``. The documents do not change."""
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
        """Score the predictions of the texts; ``None`` if there are no symbols or characters.

        lm_nats: cross-entropy in nats per symbol. lm_perplexity: its exponential.
        lm_bits_per_character: bits per character of the documents' text, spaces included.
        lm_symbols, lm_characters: their numbers.
        lm_probability: ``exp(-lm_nats)``, the geometric mean of the symbols' probabilities; higher
            is better, as spaCy's training loop requires.
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
        """Return the first continuation of the prompt; see :meth:`generations`."""
        return self.writer.write(self.generations(prompt, decoder, **settings)[0].symbols, prompt)

    def generations(
        self,
        prompt: str | Doc = "",
        decoder: SequenceGeneratorBuilder | None = None,
        **settings: Any,
    ) -> list[Generated]:
        """Return continuations of the prompt with the log-probability of each symbol.

        prompt: preceding text of any length; "" starts a document.
        decoder: sampler or search; by default ``rnnpipe.Sampler.v1``.
        settings: settings of the sampler: ``max_length``, ``temperature``, ``seed``, ``n_samples``,
            ...

        Unknown symbols are never chosen, nor is the end symbol if the model has none. The
        probabilities are those of the model without them.

        Raises:
            SettingsError: a string prompt has an unknown symbol, or a setting is wrong.
        """
        return self.writer.generations(prompt, decoder, settings)

    def stream(
        self,
        prompt: str | Doc = "",
        decoder: SequenceGeneratorBuilder | None = None,
        **settings: Any,
    ) -> Iterator[str]:
        """Yield the text of :meth:`generate` piece by piece as it is sampled.

        Raises:
            SettingsError: see :meth:`generations`; or the decoder cannot stream or returns several
                texts.
        """
        return self.writer.stream(prompt, decoder, settings)

    @property
    def writer(self) -> Writer:
        """Return a writer with the current weights."""
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
    """Documents with a count of the tokens read so far."""

    def __init__(self, docs: Iterable[Doc]) -> None:
        self._docs = docs
        self.tokens = 0

    def __iter__(self) -> Iterator[Doc]:
        for doc in self._docs:
            self.tokens += len(doc)
            yield doc


def set_extensions() -> None:
    """Register the extensions of documents and tokens; existing ones are kept."""
    for name in ("log_probability", "symbol_count", "token_log_probabilities"):
        if not Doc.has_extension(name):
            Doc.set_extension(name, default=None)
    if not Token.has_extension("log_probability"):
        Token.set_extension("log_probability", getter=_token_log_probability)


def _token_log_probability(token: Token) -> float | None:
    scores = token.doc._.token_log_probabilities
    return None if scores is None else float(scores[token.i])
