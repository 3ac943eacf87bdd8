"""Whether the parts of a config fit each other: seen by building the networks of its components."""

from __future__ import annotations

from typing import cast

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Config
from thinc.types import Floats1d

import rnnpipe.components.factories  # noqa: F401 - makes our registries and factories spaCy's
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.structures.doc_image import register_image

_WORDS = ["to", "be"]
#: What ``rnn_seq2seq`` learns in the shipped configs.
_WRITTEN = ("translation", "caption")


def check_config(text: str) -> None:
    """Raises what the library raises for settings that are wrong or parts that do not fit."""
    config = Config().from_str(text)
    nlp = _blank(config["nlp"]["lang"])
    if "vectors" in config.get("initialize", {}):
        _stand_in_vectors(nlp)
    for name in config["nlp"]["pipeline"]:
        block = dict(config["components"][name])
        pipe = nlp.add_pipe(block.pop("factory"), name=name, config=block)
        pipe.initialize(lambda: made_up_examples(nlp), nlp=nlp)  # type: ignore[attr-defined]


def made_up_examples(nlp: Language) -> list[Example]:
    """Two documents with whatever a component may learn from."""
    register_image(Doc)
    examples = []
    for label in ("A", "B"):
        doc = Doc(nlp.vocab, words=_WORDS, tags=[label] * 2, pos=["VERB"] * 2)
        doc.ents = [Span(doc, 0, 1, label)]
        doc.cats = {"A": float(label == "A"), "B": float(label == "B")}
        doc.spans["constituents"] = [Span(doc, *span, label) for span in ((0, 1), (1, 2), (0, 2))]
        doc.spans["mentions"] = [doc[:1], doc[1:]]
        doc._.image = np.zeros((8, 8), dtype=np.uint8)
        for attribute in _WRITTEN:
            if not Doc.has_extension(attribute):
                Doc.set_extension(attribute, default=None)
            doc._.set(attribute, "not to be")
        examples.append(Example(doc.copy(), doc))
    return examples


def _blank(lang: str) -> Language:
    try:
        return spacy.blank(lang)
    except ImportError:
        do = "Use the code of a language that spaCy supports, or 'xx' for any language."
        raise SettingsError(expected("--lang", "a language code", lang, do)) from None


def _stand_in_vectors(nlp: Language) -> None:
    """For those that the config names."""
    nlp.vocab.reset_vectors(width=2)
    for word in _WORDS:
        nlp.vocab.set_vector(word, cast(Floats1d, np.zeros(2, dtype=np.float32)))
