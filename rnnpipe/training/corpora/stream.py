"""``rnnpipe.TextStream.v1`` and ``rnnpipe.StreamBatcher.v1``: chunks of texts read side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from rnnpipe.contracts.settings import checked
from rnnpipe.contracts.types import PLACE, NonNegativeInt, Place, PositiveInt
from rnnpipe.errors import CorpusError, SettingsError, expected
from rnnpipe.training.corpora.examples import given, reader
from rnnpipe.training.corpora.text_file import TextFile

#: A token and whether a space follows it.
Token = tuple[str, bool]


@reader("rnnpipe.TextStream.v1")
def TextStream(
    path: Path | None,
    tokens: Literal["characters", "words"] = "characters",
    streams: PositiveInt = 1,
    chunk: NonNegativeInt = 100,
    part: tuple[float, float] = (0.0, 1.0),
    backward: bool = False,
    encoding: str = "utf-8",
) -> TextCorpus:
    """A text file as one long text, for a language model, never held in memory as a whole.

    The part is cut into ``streams`` texts of the same length. They are read side by side, a chunk
    of each in turn, so that a batch holds a chunk of every stream and each chunk goes on where the
    batch before has left off: set ``max_epochs = -1`` in ``[training]``, use
    ``rnnpipe.StreamBatcher.v1``, and the language model carries its states along.

    tokens: every character is a token (for models of characters and bytes), or what the pipeline's
        tokenizer makes of each line (for models of words), with the line break as a token.
    chunk: how many tokens are read before it is the next stream's turn, which is as far as
        gradients reach back. 0: every stream is one document, as evaluation wants it.
    part: ``[from, to]``, where to begin and end, as shares of the file's characters:
        ``[0.9, 1.0]`` is its last tenth.
    backward: every stream is read from its end, for a model of ``rnnpipe.Backward.v1``. The text of
        a chunk stands as it does in the file.
    encoding: of the file.

    Raises SettingsError: no path, or a part that is not ``0 <= from < to <= 1``. CorpusError: no
    such file, bytes that are not in the encoding, or a text too short for so many streams.
    """
    low, high = part
    if not 0.0 <= low < high <= 1.0:
        want = "[from, to] with 0 <= from < to <= 1"
        raise SettingsError(expected("part", want, list(part)))
    words = tokens == "words"
    return TextCorpus(given(path), words, streams, chunk, (low, high), backward, encoding)


class TextCorpus:
    """A callable from a pipeline to its examples; the settings are those of the reader.

    Not a dataclass: spaCy would hand a component's ``initialize`` a dictionary instead of it.
    """

    def __init__(
        self,
        path: Path,
        words: bool,
        streams: int,
        chunk: int,
        part: tuple[float, float],
        backward: bool,
        encoding: str,
    ) -> None:
        self.path = path
        self.words = words
        self.streams = streams
        self.chunk = chunk
        self.part = part
        self.backward = backward
        self.encoding = encoding

    def __call__(self, nlp: Language) -> Iterator[Example]:
        file = TextFile(self.path, self.encoding)
        low, high = (round(share * file.length) for share in self.part)
        # A stream needs a symbol, and one to predict from it.
        if high - low < 2 * self.streams:
            want = f"a text of at least {2 * self.streams} characters for streams = {self.streams}"
            do = "Check the path and part, or lower streams."
            raise CorpusError(expected(str(self.path), want, high - low, do))
        edges = [low + (high - low) * i // self.streams for i in range(self.streams + 1)]
        read: Read = partial(_words, nlp=nlp) if self.words else _characters
        if self.backward:
            read = partial(_from_end, read)
        texts = [read(file, begin, end) for begin, end in pairwise(edges)]
        if not self.chunk:
            return (self._example(list(text), nlp) for text in texts)
        return self._in_turn(texts, nlp)

    def _in_turn(self, texts: list[Iterator[Token]], nlp: Language) -> Iterator[Example]:
        running = dict(enumerate(texts))
        last: dict[int, list[Token]] = {stream: [] for stream in running}
        begin = 0
        while running:
            for stream in list(running):
                tokens = list(islice(running[stream], self.chunk))
                if not tokens:
                    del running[stream]
                    continue
                place = Place(stream, begin, begin + len(tokens), self.backward)
                yield self._example(last[stream] + tokens, nlp, place)
                last[stream] = tokens[-1:]
            begin += self.chunk

    def _example(self, tokens: list[Token], nlp: Language, place: Place | None = None) -> Example:
        """tokens: in the order in which they were read."""
        if self.backward:
            tokens = tokens[::-1]
        words, spaces = [word for word, _ in tokens], [space for _, space in tokens]
        predicted, reference = (Doc(nlp.vocab, words=words, spaces=spaces) for _ in range(2))
        if place is not None:
            reference.user_data[PLACE] = tuple(place)
        return Example(predicted, reference)


#: The tokens of a part of a file.
Read = Callable[[TextFile, int, int], Iterator[Token]]
_BLOCK = 1 << 16  # characters


def _from_end(read: Read, file: TextFile, begin: int, end: int) -> Iterator[Token]:
    """The last token first."""
    for high in range(end, begin, -_BLOCK):
        yield from reversed(list(read(file, max(begin, high - _BLOCK), high)))


def _characters(file: TextFile, begin: int, end: int) -> Iterator[Token]:
    for block in file.read(begin, end):
        for character in block:
            yield character, False


def _words(file: TextFile, begin: int, end: int, nlp: Language) -> Iterator[Token]:
    """The tokens of the lines that begin in ``begin:end``."""
    for line in file.lines(begin, end):
        for token in nlp.make_doc(line):
            yield token.text, bool(token.whitespace_)


@checked("batchers", "rnnpipe.StreamBatcher.v1")
def StreamBatcher() -> Callable[[Iterable[Example]], Iterator[list[Example]]]:
    """Batches that hold one chunk of each stream of ``rnnpipe.TextStream.v1``, in order."""
    return _batches


def _batches(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """Raises CorpusError for an example that is not a chunk of a stream."""
    batch: dict[int, Example] = {}
    for example in examples:
        place = example.reference.user_data.get(PLACE)
        if place is None:
            want = "chunks of streams, as rnnpipe.TextStream.v1 reads them with chunk above 0"
            do = "For other corpora, use a spaCy batcher such as spacy.batch_by_words.v1."
            raise CorpusError(expected("rnnpipe.StreamBatcher.v1", want, "no place", do))
        if place[0] in batch:
            yield list(batch.values())
            batch = {}
        batch[place[0]] = example
    if batch:
        yield list(batch.values())
