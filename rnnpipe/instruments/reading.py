"""Text as a language model of a pipeline reads it, however long it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import cast

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from rnnpipe.components.language.language_model import language_model_builder
from rnnpipe.components.language.rnn_lm import RnnLanguageModel
from rnnpipe.components.network_model import network_shim
from rnnpipe.contracts.types import BOUNDARY, UNKNOWN, Stepper, Text
from rnnpipe.models.language.language_model import LanguageModel
from rnnpipe.parts.symbols.backward import BackwardSymbols

#: A text of which words, and pieces of words, make fewer symbols than it has characters.
_PROBE = "characterwise"
#: The longest line that is tokenized in one piece, in characters.
_LONGEST_LINE = 100_000


class Reader:
    """A language model and the pipeline that tokenizes for it."""

    def __init__(self, nlp: Language, pipe: RnnLanguageModel) -> None:
        self.nlp = nlp
        self.pipe = pipe

    @cached_property
    def by_character(self) -> bool:
        """Whether a symbol is a character or a part of one, so that words do not matter."""
        symbols = self.pipe.symbols
        if len(symbols.encode(_PROBE)) < len(_PROBE):
            return False
        # A text in a script that a model has no subwords of proves nothing: ask its subwords.
        return all(
            len(symbols.writer()(symbol)) <= 1 for symbol in range(UNKNOWN + 1, len(symbols))
        )

    @property
    def backward(self) -> bool:
        """Whether texts are read from the end."""
        return isinstance(self.pipe.symbols, BackwardSymbols)

    def doc(self, text: str) -> Doc:
        """A document whose tokens are characters, or else what the pipeline's tokenizer makes of
        each line, as ``rnnpipe.TextStream.v1`` has it."""
        if self.by_character:
            return Doc(self.nlp.vocab, words=list(text), spaces=[False] * len(text))
        docs = [self.nlp.make_doc(line) for line in _lines(text)]
        return Doc.from_docs(docs, ensure_whitespace=False) if docs else self.nlp.make_doc("")

    def symbols(self, blocks: Iterable[str]) -> Iterator[np.ndarray]:
        """The symbols of a text that comes in blocks, ``(N,)`` int64 each, in the order in which
        the model reads them: from the end, where it does, once all blocks are there."""
        texts = blocks if self.by_character else _whole_lines(blocks)
        for text in ["".join(texts)] if self.backward else texts:
            if self.by_character:
                yield self.pipe.symbols.encode(text)
            else:
                yield self.pipe.symbols.read(self.doc(text))

    def log_probabilities(self, pieces: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The log-probability of each symbol of a document that comes in pieces, ``(N,)`` in nats.
        One for the end symbol comes last, if that counts.

        The state is carried along; only where the model is set to adapt to its document are all
        pieces joined first."""
        if self.pipe.cfg["end_symbol"]:
            pieces = chain(pieces, [np.array([BOUNDARY])])
        if language_model_builder(self.pipe.model).adaptation is None:
            return self._carried(pieces)
        whole = np.concatenate([np.zeros(0, dtype=np.int64), *pieces])
        return iter(self.pipe.model.predict([_text(BOUNDARY, whole)]))

    def _carried(self, pieces: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        shim = network_shim(self.pipe.model)
        last, state = BOUNDARY, None
        for symbols in pieces:
            if not len(symbols):
                continue
            with shim.evaluation() as module:
                model = cast(LanguageModel, module)
                if state is None:
                    state = cast(Stepper, model.encoder).start(1)
                scores, state = model.log_likelihood(_text(last, symbols), state)
            last = int(symbols[-1])
            yield scores


def _text(before: int, symbols: np.ndarray) -> Text:
    """What follows on a symbol."""
    return Text(np.concatenate([[before], symbols[:-1]]), symbols)


def _lines(text: str) -> list[str]:
    """With their line ends, of which there is one kind."""
    return [line for line in re.split("(?<=\n)", text) if line]


def _whole_lines(blocks: Iterable[str]) -> Iterator[str]:
    """The same text, cut at line ends; a line that is far too long, at a space or anywhere."""
    rest = ""
    for block in blocks:
        rest += block
        cut = rest.rfind("\n") + 1
        if not cut and len(rest) > _LONGEST_LINE:
            cut = rest.rfind(" ") + 1 or len(rest)
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest
