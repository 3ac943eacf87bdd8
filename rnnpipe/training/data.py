"""The training data that Python code has: examples, documents, annotated texts, files, readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus, Example

from rnnpipe.errors import SettingsError, expected

#: Annotate a pipeline's own documents: what a registered reader of spaCy's ``@readers`` returns.
Reader: TypeAlias = Callable[[Language], Iterable[Example]]
#: A gold document, in each of the forms that spaCy users have it in.
Item: TypeAlias = Example | Doc | tuple[str, Mapping[str, Any]]
Data: TypeAlias = str | Path | DocBin | Reader | Iterable[Item]

_KINDS = "a .spacy file, a DocBin, a reader, or a list of Example, Doc or (text, annotations)"
#: What a token can be annotated with.
_ATTRIBUTES = ("TAG", "POS", "MORPH", "LEMMA", "DEP", "SENT_START", "ENT_IOB")


def reader(where: str, data: Data, nlp: Language, needs_annotation: bool) -> Reader:
    """Return a reader of the data, as spaCy's training loop takes it.

    Files are read anew at each call, as under ``spacy train``; everything else is read now.

    Args:
        where: the name of the data in error messages.
        needs_annotation: whether a document without any annotation is an error.

    Raises:
        SettingsError: the data is of none of these kinds, or empty, or an item of it is wrong.

    """
    if isinstance(data, str | Path):
        return Corpus(_existing(where, Path(data)))
    if isinstance(data, DocBin):
        data = list(data.get_docs(nlp.vocab))
    if callable(data):
        return data
    if not isinstance(data, Iterable):
        raise SettingsError(expected(where, _KINDS, data))
    examples = [_example(f"{where}[{i}]", item, nlp) for i, item in enumerate(data)]
    for i, example in enumerate(examples):
        if needs_annotation and not _is_annotated(example.reference):
            do = "Set doc.ents, doc.cats or token.tag_, for instance, or remove the document."
            got = f"no annotation of {example.reference.text!r}"
            raise SettingsError(expected(f"{where}[{i}]", "an annotated document", got, do))
    return lambda nlp: examples


def _existing(where: str, path: Path) -> Path:
    if not path.is_dir() and path.suffix != ".spacy":
        do = "Convert it with 'spacy convert', or pass a reader, such as rnnpipe.ConllCorpus.v1."
        raise SettingsError(expected(where, "a .spacy file or a folder of them", str(path), do))
    if not path.exists():
        raise SettingsError(expected(where, "a file", f"no file {path}", "Correct the path."))
    return path


def _example(where: str, item: Item, nlp: Language) -> Example:
    if isinstance(item, Example):
        return item
    if isinstance(item, Doc):
        return _of_document(where, item, nlp)
    if isinstance(item, tuple | list) and len(item) == 2:
        text, annotations = item
        if isinstance(text, str) and isinstance(annotations, Mapping):
            return _of_text(where, text, annotations, nlp)
    raise SettingsError(expected(where, "an Example, a Doc or (text, annotations)", item))


def _of_document(where: str, doc: Doc, nlp: Language) -> Example:
    """Pair a document with its bare text, as spaCy's own reader of files does."""
    if doc.vocab is not nlp.vocab:
        doc = next(DocBin(docs=[doc], store_user_data=True).get_docs(nlp.vocab))
    for example in Corpus("").make_examples(nlp, [doc]):
        return example
    raise SettingsError(
        expected(where, "a document with words", "no words", "Remove the document.")
    )


def _of_text(where: str, text: str, annotations: Mapping[str, Any], nlp: Language) -> Example:
    try:
        return Example.from_dict(nlp.make_doc(text), dict(annotations))
    # What spaCy raises depends on what is wrong: ValueError, KeyError, TypeError, ...
    except Exception as error:
        want = "annotations that fit the text, in the format of Example.from_dict"
        cause = error.args[0] if error.args else error  # a KeyError's text would be quoted
        raise SettingsError(f"{where}: expected {want}, got {annotations!r}. {cause}") from error


def _is_annotated(doc: Doc) -> bool:
    return bool(doc.cats or doc.spans or doc.user_data or any(map(doc.has_annotation, _ATTRIBUTES)))
