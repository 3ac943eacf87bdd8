"""The examples of ``spacy rnn new-plugin``: a part of each kind, and a config that names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """part: what is registered as ``acme.PART.v1``. module: the file that it is in.

    config: the shipped one that is trained with it. data: what it is trained on.
    blocks: what is put there, in the names of the template.
    """

    part: str
    module: str
    config: str
    data: str
    blocks: Mapping[str, Mapping[str, str]]


_REQUESTS = (
    "Its data, in spaCy's format, has entities and categories; `spacy rnn quickstart sample` makes "
    "some up and leaves it in sample/."
)
_SPELLINGS = (
    "Its data are files of two columns with a tab between them: a word's spelling, and its "
    "phonemes with spaces between them."
)
EXAMPLES = {
    "encoder": Example(
        "LeakyRNN",
        "leaky_rnn",
        "quickstart",
        _REQUESTS,
        {
            "components.ner.model.encoder": {
                "@rnnpipe_encoders": '"acme.LeakyRNN.v1"',
                "width": "96",
            }
        },
    ),
    "pooler": Example(
        "ScaledSum",
        "scaled_sum",
        "quickstart",
        _REQUESTS,
        {"components.textcat.model.pooler": {"@rnnpipe_poolers": '"acme.ScaledSum.v1"'}},
    ),
    "decoder": Example(
        "Focal",
        "focal",
        "quickstart",
        _REQUESTS,
        {"components.textcat.model.decoder": {"@rnnpipe_decoders": '"acme.Focal.v1"'}},
    ),
    "embedding": Example(
        "WordLength",
        "word_length",
        "quickstart",
        _REQUESTS,
        {
            "components.ner.model.embedding": {"@rnnpipe_embeddings": '"rnnpipe.Concat.v1"'},
            "components.ner.model.embedding.parts": {},
            "components.ner.model.embedding.parts.words": {
                "@rnnpipe_embeddings": '"rnnpipe.WordChar.v1"',
                "width": "64",
                "char_width": "48",
            },
            "components.ner.model.embedding.parts.length": {
                "@rnnpipe_embeddings": '"acme.WordLength.v1"'
            },
        },
    ),
    "filter": Example(
        "Epsilon",
        "epsilon",
        "g2p",
        _SPELLINGS,
        {
            "components.g2p.search": {
                "@rnnpipe_decoders": '"rnnpipe.Sampler.v1"',
                "seed": "0",
                "max_length": "60",
            },
            "components.g2p.search.filters": {},
            "components.g2p.search.filters.epsilon": {"@rnnpipe_filters": '"acme.Epsilon.v1"'},
        },
    ),
}
