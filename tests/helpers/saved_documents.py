"""Documents as JSON: what stored pipelines learnt from, what they are asked, and their answers."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import registry
from spacy.vocab import Vocab


def make_doc(vocab: Vocab, stored: dict[str, Any]) -> Doc:
    """Return a document with everything that ``stored`` says of it."""
    given = {
        key: stored[key]
        for key in ("words", "heads", "deps", "lemmas", "tags", "pos", "morphs")
        if key in stored
    }
    doc = Doc(vocab, **given)
    for key, spans in stored.get("spans", {}).items():
        doc.spans[key] = [Span(doc, start, end, label=label) for start, end, label in spans]
    doc.ents = [Span(doc, start, end, label=label) for start, end, label in stored.get("ents", [])]
    doc.cats = stored.get("cats", {})
    for name, value in stored.get("_", {}).items():
        if Doc.has_extension(name):
            doc._.set(name, np.array(value, dtype=np.uint8) if name == "image" else value)
    return doc


def annotation(doc: Doc) -> dict[str, Any]:
    """Return what components may write on a document, as JSON."""
    found: dict[str, Any] = {
        "tags": [token.tag_ for token in doc],
        "pos": [token.pos_ for token in doc],
        "morphs": [str(token.morph) for token in doc],
        "ents": [[ent.start, ent.end, ent.label_] for ent in doc.ents],
        "cats": dict(doc.cats),
        "tensor": doc.tensor,
    }
    for key, spans in doc.spans.items():
        found[f"spans.{key}"] = [[span.start, span.end, span.label_] for span in spans]
    for (kind, *key), value in doc.user_data.items():
        if kind == "._." and value is not None:
            found[".".join(str(part) for part in key if part is not None)] = value
    return {key: as_json(value) for key, value in found.items()}


def as_json(value: Any) -> Any:
    """Return the value as JSON: arrays as lists, floats with seven digits."""
    if isinstance(value, np.ndarray | np.generic):
        return as_json(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list | tuple) else value


def answers(nlp: Language, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what each component, without the others, adds to each document, and what the calls
    return. A component that others listen to, ``tok2vec``, runs before each."""
    written = {}
    for name in nlp.pipe_names:
        with nlp.select_pipes(
            enable=[pipe for pipe in nlp.pipe_names if pipe in ("tok2vec", name)]
        ):
            before = [make_doc(nlp.vocab, stored) for stored in asked["documents"]]
            after = nlp.pipe(make_doc(nlp.vocab, stored) for stored in asked["documents"])
            written[name] = [added(*pair) for pair in zip(before, after, strict=True)]
    return {"components": written, "calls": [called(nlp, call) for call in asked["calls"]]}


def added(before: Doc, after: Doc) -> dict[str, Any]:
    known = annotation(before)
    return {key: value for key, value in annotation(after).items() if known.get(key) != value}


def called(nlp: Language, call: dict[str, Any]) -> Any:
    """Return what a method of a component returns. Blocks that name registered functions are
    resolved first; images stand for their pixels."""
    given = registry.resolve({"given": call["arguments"]})["given"] if call["arguments"] else {}
    if "image" in given:
        given["image"] = np.array(given["image"], dtype=np.uint8)
    return as_json(getattr(nlp.get_pipe(call["component"]), call["method"])(**given))


def differences(got: Any, want: Any, place: str = "") -> Iterator[str]:
    """Yield where two answers differ: floats by more than 1e-4 of their size and 1e-5, all else
    at all."""
    if isinstance(got, float) and isinstance(want, float):
        alike = math.isclose(got, want, rel_tol=1e-4, abs_tol=1e-5)
    elif isinstance(got, dict) and isinstance(want, dict) and got.keys() == want.keys():
        for key in want:
            yield from differences(got[key], want[key], f"{place}.{key}")
        return
    elif isinstance(got, list) and isinstance(want, list) and len(got) == len(want):
        for number, pair in enumerate(zip(got, want, strict=True)):
            yield from differences(*pair, f"{place}[{number}]")
        return
    else:
        alike = type(got) is type(want) and got == want
    if not alike:
        yield f"{place}: expected {want!r}, got {got!r}"
