"""``rnnpipe.GivenAnnotation.v1``: ``.spacy`` files, annotation of which the pipeline is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import cast

from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from thinc.types import Ints2d

from rnnpipe.contracts.types import NonNegativeInt
from rnnpipe.errors import CorpusError, SettingsError, StructureError, expected, opening
from rnnpipe.parts.structures.doc_image import SOURCE, image_of, register_image
from rnnpipe.training.corpora.examples import Augmenter, Corpus, given, reader

Keep = Callable[[Doc, Doc], None]


@reader("rnnpipe.GivenAnnotation.v1")
def GivenAnnotation(
    path: Path | None,
    keep: list[str],
    limit: NonNegativeInt = 0,
    augmenter: Augmenter | None = None,
) -> Corpus:
    """Gold documents, as ``spacy convert`` writes them. spaCy's own reader gives the pipeline their
    tokens alone; this one also what the pipeline needs to begin with, such as gold trees.

    path: the file, or a folder of such files.
    keep: what the pipeline is given: ``"dependencies"``, the heads and their labels,
        ``"spans.name"``, the spans of ``doc.spans["name"]``, without their labels, or ``"image"``,
        ``doc._.image``.
    limit: how many documents are read at most; 0 for all.
    augmenter: one of spaCy's ``@augmenters``.

    Raises SettingsError: no path, or anything else in ``keep``. When read, StructureError: a
    document without what is to be kept. CorpusError: a file that is none of spaCy's, and see
    :class:`rnnpipe.training.corpora.examples.Corpus`.
    """
    root = given(path)
    keepers = [_keeper(name) for name in keep]

    def keep_all(source: Doc, target: Doc) -> None:
        for keeper in keepers:
            keeper(source, target)

    def read(nlp: Language) -> Iterator[Doc]:
        for file in sorted(root.rglob("*.spacy")) if root.is_dir() else [root]:
            yield from _stored(file).get_docs(nlp.vocab)

    return Corpus(read, str(root), limit, augmenter, keep_all)


def _stored(file: Path) -> DocBin:
    try:
        return DocBin().from_disk(file)
    # What the reader of another kind of file stumbles on depends on the file.
    except Exception as error:
        do = "Convert the data with spacy convert, or choose another reader."
        got = f"{type(error).__name__}: {error}"
        raise CorpusError(expected(str(file), "a file of spaCy documents", got, do)) from error


def _keeper(name: str) -> Keep:
    if name == "dependencies":
        return keep_dependencies
    if name.startswith("spans.") and name != "spans.":
        return partial(keep_spans, spans_key=name.removeprefix("spans."))
    if name == "image":
        return keep_image
    want = "'dependencies', 'image' or 'spans.' and a group's name"
    raise SettingsError(expected("keep", want, name))


def keep_dependencies(source: Doc, target: Doc) -> None:
    """Copy heads and dependency labels. Raises StructureError if there are none."""
    if not len(source):
        return
    if not source.has_annotation("HEAD"):
        raise StructureError(expected(opening(source.text), "gold dependencies", "no heads"))
    columns = cast(Ints2d, source.to_array(["HEAD", "DEP"]))
    target.from_array(["HEAD", "DEP"], columns)


def keep_spans(source: Doc, target: Doc, *, spans_key: str) -> None:
    """Copy the spans of a group, without labels. Raises StructureError if there is no such group in
    a document with tokens."""
    if len(source) and spans_key not in source.spans:
        want = f"gold spans in doc.spans[{spans_key!r}]"
        raise StructureError(expected(opening(source.text), want, "no such span group"))
    spans = source.spans.get(spans_key, [])
    target.spans[spans_key] = [Span(target, span.start, span.end) for span in spans]


def keep_image(source: Doc, target: Doc) -> None:
    """Hand over the image, and where it comes from. Raises StructureError if there is none."""
    register_image(Doc)
    image_of(source)
    target._.image = source._.image
    if SOURCE in source.user_data:
        target.user_data[SOURCE] = source.user_data[SOURCE]
