"""What rnnpipe's own parts are checked with, where the smallest settings would leave them little to
do or cannot be guessed."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib.metadata import entry_points
from typing import Any

import numpy as np
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from rnnpipe.contracts.registry import edges, embeddings, encoders, poolers
from rnnpipe.parts.structures.doc_image import register_image
from rnnpipe.testing.small_settings import small_settings

HASHED = {"width": 8, "norm": 50, "prefix": 20, "suffix": 20, "shape": 20}


def own_settings(kind: str, name: str) -> Mapping[str, Any] | None:
    """The settings of one of rnnpipe's own parts; ``None``: the smallest ones."""
    make = _SETTINGS.get((kind, name))
    return None if make is None else make()


def _hashed_and_words() -> dict[str, Any]:
    hashed = embeddings.get("rnnpipe.Hashed.v1")(**HASHED)
    return {"parts": {"hashed": hashed, "words": embeddings.get("rnnpipe.Words.v1")(width=5)}}


def _last_and_mean() -> dict[str, Any]:
    names = {"last": "rnnpipe.Last.v1", "mean": "rnnpipe.Mean.v1"}
    return {"parts": {part: poolers.get(name)() for part, name in names.items()}}


def _every_edge() -> dict[str, Any]:
    functions = {name: edges.get(name) for name in entry_points(group=edges.group).names}
    return {"edges": {name: make(**small_settings(make)) for name, make in functions.items()}}


@cache
def _language_model() -> dict[str, Any]:
    """The folder of a pipeline with a language model."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_lm", name="lm")
    doc = nlp.make_doc("The red house in Berlin.")
    nlp.initialize(lambda: [Example(doc, doc)])
    nlp.to_disk(folder)
    return {"path": folder}


class _FixedWidth:
    """A thinc layer as far as an embedding looks at one before it is run."""

    def has_dim(self, name: str) -> bool:
        return name == "nO"

    def get_dim(self, name: str) -> int:
        return 6


def _composition() -> dict[str, Any]:
    return {"composition": encoders.get("rnnpipe.RecursiveNet.v1")(width=5)}


def _images(columns: int | None, vocab: Vocab, lengths: Sequence[int]) -> list[Doc]:
    """Documents whose images have so many pixels, or so many rows of some columns."""
    register_image(Doc)
    docs = [Doc(vocab) for _ in lengths]
    for doc, n in zip(docs, lengths, strict=True):
        shape = (1, n, 1) if columns is None else (n, columns, 1)
        doc._.image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    return docs


_SETTINGS: dict[tuple[str, str], Callable[[], dict[str, Any]]] = {
    ("embedding", "rnnpipe.Hashed.v1"): lambda: HASHED,
    ("embedding", "rnnpipe.PixelRows.v1"): lambda: {"columns": 4},
    ("embedding", "rnnpipe.CharRNN.v1"): lambda: {
        "encoder": encoders.get("rnnpipe.BiLSTM.v1")(width=3)
    },
    ("embedding", "rnnpipe.Concat.v1"): _hashed_and_words,
    ("embedding", "rnnpipe.LanguageModelEmbedding.v1"): _language_model,
    ("embedding", "rnnpipe.Tok2Vec.v1"): lambda: {"tok2vec": _FixedWidth()},
    ("structure", "rnnpipe.TokenGraph.v1"): _every_edge,
    ("pooler", "rnnpipe.Concat.v1"): _last_and_mean,
    ("decoder", "rnnpipe.LikelihoodParser.v1"): _composition,
    ("decoder", "rnnpipe.MarginParser.v1"): _composition,
    ("decoder", "rnnpipe.ConstrainedBeam.v1"): lambda: {"phrases": [[1], [2, 3]]},
    ("output", "rnnpipe.AdaptiveSoftmax.v1"): lambda: {"cutoffs": [3, 6]},
    ("filter", "rnnpipe.Forbidden.v1"): lambda: {"phrases": [[1], [2, 3]]},
    ("filter", "rnnpipe.Forced.v1"): lambda: {"phrase": [1, 2]},
    ("filter", "rnnpipe.MinP.v1"): lambda: {"p": 0.1},
    ("filter", "rnnpipe.NoRepeat.v1"): lambda: {"n": 2},
    ("filter", "rnnpipe.RepetitionPenalty.v1"): lambda: {"penalty": 1.2},
    ("filter", "rnnpipe.TopP.v1"): lambda: {"p": 0.9},
    ("filter", "rnnpipe.Typical.v1"): lambda: {"p": 0.9},
}
#: No image is empty.
_LENGTHS = (5, 3, 10, 1)
_PIXELS, _ROWS = ({"docs": partial(_images, columns), "lengths": _LENGTHS} for columns in (None, 4))
#: What ``check_embedding`` and the others take besides, by name.
OWN_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "rnnpipe.Pixels.v1": _PIXELS,
    "rnnpipe.PixelRows.v1": _ROWS,
    "rnnpipe.ImageGrid.v1": _PIXELS,
    "rnnpipe.ImagePixels.v1": _PIXELS,
    "rnnpipe.ImageRows.v1": _ROWS,
}
