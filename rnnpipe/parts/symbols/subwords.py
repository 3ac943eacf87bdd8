"""``rnnpipe.Subwords.v1``: a symbol is a frequent part of a word, learnt from the training text."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from rnnpipe.contracts.registry import symbols
from rnnpipe.contracts.types import DocLike, Symbols
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.symbols.numbering import most_frequent_first

#: What no subword reaches beyond: a word, signs or white space, with the space after it.
_UNIT = re.compile(r"\w+ ?|[^\w\s]+ ?|\s+")
#: The text of each byte: subwords are strings of these.
_BYTES = [chr(byte) for byte in range(256)]


@symbols("rnnpipe.Subwords.v1")
@dataclass(frozen=True)
class Subwords:
    """Byte pair encoding of the text in UTF-8 (Sennrich et al. 2016, Neural Machine Translation of
    Rare Words with Subword Units): beginning with the 256 bytes, the most frequent pair of
    neighbours becomes a symbol, again and again. Nothing is unknown. It is done by the package
    tokenizers, which comes with ``pip install 'rnnpipe[subwords]'``.

    The space after a word belongs to it. No subword reaches beyond a token, nor beyond a run of
    letters and digits or of other signs; in a text given as a string, such as a prompt, these alone
    count. Read streams with ``tokens = "words"``, since tokens that are characters have no parts.

    size: how many subwords there are, at most.

    Raises SettingsError if tokenizers is not installed.
    """

    size: Annotated[int, Field(gt=256, strict=True)] = 4000

    def __post_init__(self) -> None:
        try:
            import tokenizers  # noqa: F401
        except ImportError:
            want, got = "the package tokenizers", "no such package"
            do = "Install it: pip install 'rnnpipe[subwords]'."
            raise SettingsError(expected("rnnpipe.Subwords.v1", want, got, do)) from None

    def measure(self, docs: Iterable[DocLike]) -> dict[str, Any]:
        from tokenizers import Tokenizer
        from tokenizers.models import BPE
        from tokenizers.trainers import BpeTrainer

        counts: Counter[str] = Counter()
        for doc in docs:
            tokens, places = _tokens(doc)
            for token, n in zip(tokens, np.bincount(places).tolist(), strict=True):
                for unit in _units(token):
                    counts[unit] += n
        learner = Tokenizer(BPE())
        trainer = BpeTrainer(
            vocab_size=self.size, initial_alphabet=_BYTES, special_tokens=[], show_progress=False
        )
        every = chain.from_iterable(repeat(unit, n) for unit, n in counts.items())
        learner.train_from_iterator(every, trainer)
        frequency = Counter(dict.fromkeys(learner.get_vocab(), 0))
        for unit, n in counts.items():
            for part in learner.model.tokenize(unit):
                frequency[part.value] += n
        merges = json.loads(learner.to_str())["model"]["merges"]
        return {"subwords": most_frequent_first(frequency, 0), "merges": merges}

    def build(self, facts: dict[str, Any]) -> Symbols:
        return SubwordSymbols(facts["subwords"], facts["merges"])


class SubwordSymbols:
    """subwords: bytes as characters (Latin-1), the most frequent first. merges: pairs of them, in
    the order in which they are joined."""

    def __init__(self, subwords: list[str], merges: list[list[str]]) -> None:
        from tokenizers.models import BPE

        self._bytes = [subword.encode("latin-1") for subword in subwords]
        vocabulary = {subword: number for number, subword in enumerate(subwords, start=2)}
        self._model = BPE(vocab=vocabulary, merges=[(a, b) for a, b in merges])

    def __len__(self) -> int:
        return len(self._bytes) + 2

    def read(self, doc: DocLike) -> np.ndarray:
        tokens, places = _tokens(doc)
        numbers = [self.encode(token) for token in tokens]
        return np.concatenate([np.zeros(0, dtype=np.int64), *(numbers[i] for i in places)])

    def owners(self, doc: DocLike) -> np.ndarray:
        tokens, places = _tokens(doc)
        sizes = np.array([len(self.encode(token)) for token in tokens], dtype=np.int64)
        return np.repeat(np.arange(len(doc)), sizes[places])

    def encode(self, text: str) -> np.ndarray:
        numbers = [part.id for unit in _units(text) for part in self._model.tokenize(unit)]
        return np.array(numbers, dtype=np.int64)

    def unknown(self, text: str) -> list[str]:
        return []

    def pieces(self, doc: DocLike) -> list[str]:
        numbers = self.read(doc).tolist()
        return [self._bytes[number - 2].decode("utf-8", "backslashreplace") for number in numbers]

    def writer(self) -> Callable[[int], str]:
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        return lambda symbol: decode(self._bytes[symbol - 2]) if symbol >= 2 else ""


def _tokens(doc: DocLike) -> tuple[list[str], np.ndarray]:
    """Return the distinct tokens of a document, each with the space after it, and which stands
    where, ``(T,)``."""
    if not len(doc):
        return [], np.zeros(0, dtype=np.int64)
    columns, places = np.unique(
        doc.to_array(["ORTH", "SPACY"]).reshape(len(doc), 2), axis=0, return_inverse=True
    )
    strings = doc.vocab.strings
    tokens = [strings[key] + " " * space for key, space in columns.tolist()]
    return tokens, places.reshape(-1)


def _units(text: str) -> Iterator[str]:
    """Return the parts of a text that are encoded by themselves, as strings of bytes."""
    for match in _UNIT.finditer(text):
        yield match[0].encode("utf-8", "surrogatepass").decode("latin-1")
