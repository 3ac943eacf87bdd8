"""``rnnpipe.CategoryTexts.v1``: examples with categories, as examples with texts to be written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from rnnpipe.errors import CorpusError, expected
from rnnpipe.parts.structures.doc_image import called
from rnnpipe.training.corpora.examples import reader

Reader = Callable[[Language], Iterable[Example]]


@reader("rnnpipe.CategoryTexts.v1")
def CategoryTexts(corpus: Reader, texts: dict[str, str], attribute: str = "translation") -> Reader:
    """The examples of another reader for ``rnn_seq2seq``, which is to write a text for each
    category, such as "seven" for an image of a 7.

    corpus: the other reader.
    texts: the text of each category.
    attribute: the extension attribute of the reference documents that holds it.

    When read, CorpusError: a document that has not one true category, or one without a text.
    """

    def read(nlp: Language) -> Iterator[Example]:
        if not Doc.has_extension(attribute):
            Doc.set_extension(attribute, default=None)
        for example in corpus(nlp):
            doc = example.reference
            true = [category for category, value in doc.cats.items() if value == 1.0]
            if len(true) != 1 or true[0] not in texts:
                want = f"one of the categories {sorted(texts)} in doc.cats"
                do = "Give each category a text."
                raise CorpusError(expected(called(doc), want, true or "no category", do))
            doc._.set(attribute, texts[true[0]])
            yield example

    return read
