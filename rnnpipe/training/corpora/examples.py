"""Gold documents to examples: what every reader of this package has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from rnnpipe.contracts.settings import checked
from rnnpipe.errors import CorpusError, SettingsError, expected

F = TypeVar("F", bound=Callable[..., Any])

#: What spaCy's ``@augmenters`` functions return: further examples made from one.
Augmenter = Callable[[Language, Example], Iterable[Example]]


def reader(name: str) -> Callable[[F], F]:
    """Register a function of checked settings among spaCy's ``@readers``."""

    def register(function: F) -> F:
        wrapped = checked("readers", name)(function)
        registry.readers(name, func=wrapped)
        return wrapped

    return register


def given(path: Path | None) -> Path:
    """The path; it may be missing while a config is filled in, but not when it is used.

    Raises SettingsError if it is missing."""
    if path is None:
        do = "Pass --paths.train and --paths.dev, or set them under [paths]."
        raise SettingsError(expected("path", "the path of the corpus", "no path", do))
    return path


@dataclass(frozen=True)
class Corpus:
    """A callable from a pipeline to its examples, as spaCy's training loop asks for one.

    The documents are read anew at each call and one is held at a time, so that memory does not
    grow with the files.

    read: the gold documents, made with the pipeline's vocabulary and tokenizer.
    where: what is read, for the message about an empty corpus.
    limit: how many documents are read at most; 0 for all.
    augmenter: makes further examples, or ``None``.
    keep: copies what the pipeline is given, beside the tokens, from a gold document to the one that
        it is to annotate; ``None``: nothing.
    """

    read: Callable[[Language], Iterator[Doc]]
    where: str
    limit: int = 0
    augmenter: Augmenter | None = None
    keep: Callable[[Doc, Doc], None] | None = None

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Raises CorpusError: there is not one document, or a file is not what it should be."""
        empty = True
        for reference in islice(self.read(nlp), self.limit or None):
            empty = False
            predicted = _without_annotation(reference)
            if self.keep is not None:
                self.keep(reference, predicted)
            example = Example(predicted, reference)
            yield from self.augmenter(nlp, example) if self.augmenter else (example,)
        if empty:
            do = "Check the path and the reader's settings."
            raise CorpusError(expected(self.where, "at least one document", "no documents", do))


def _without_annotation(reference: Doc) -> Doc:
    """The same tokens, which the pipeline is to annotate."""
    words, spaces = [], []
    for token in reference:
        words.append(token.text)
        spaces.append(bool(token.whitespace_))
    return Doc(reference.vocab, words=words, spaces=spaces)
