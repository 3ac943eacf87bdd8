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
    "Its data, in spaCy's format, has entities and categories; `spacy rnn quickstart sample` "
    "generates a sample in sample/."
)
_SPELLINGS = (
    "Its data are files with two tab-separated columns: the spelling of a word, and its phonemes "
    "separated by spaces."
)
_TEXT = "Its data is a text file, whose last tenth is used for evaluation."
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
    "attention": Example(
        "ScaledDot",
        "scaled_dot",
        "g2p",
        _SPELLINGS,
        {"components.g2p.model.attention": {"@rnnpipe_attentions": '"acme.ScaledDot.v1"'}},
    ),
    "output": Example(
        "TiedProjection",
        "tied_projection",
        "char_lm",
        _TEXT,
        {"components.lm.model.output": {"@rnnpipe_outputs": '"acme.TiedProjection.v1"'}},
    ),
    "symbol": Example(
        "Lowercase",
        "lowercase",
        "g2p",
        _SPELLINGS,
        {"components.g2p.model.source": {"@rnnpipe_symbols": '"acme.Lowercase.v1"'}},
    ),
    "structure": Example(
        "Reversed",
        "reversed",
        "quickstart",
        _REQUESTS,
        {"components.textcat.model.structure": {"@rnnpipe_structures": '"acme.Reversed.v1"'}},
    ),
    "edge": Example(
        "Window",
        "window",
        "quickstart",
        _REQUESTS,
        {
            "components.textcat.model.structure": {"@rnnpipe_structures": '"rnnpipe.TokenDag.v1"'},
            "components.textcat.model.structure.edges": {},
            "components.textcat.model.structure.edges.window": {
                "@rnnpipe_edges": '"acme.Window.v1"',
                "size": "2",
            },
            "components.textcat.model.encoder": {
                "@rnnpipe_encoders": '"rnnpipe.DagLSTM.v1"',
                "width": "32",
            },
        },
    ),
    "pixel_output": Example(
        "Cumulative",
        "cumulative",
        "images",
        "Its data are an archive of images of 28 x 28 pixels, black or white; for more levels, "
        "set levels and remove packed.",
        {"components.image.model.output": {"@rnnpipe_pixel_outputs": '"acme.Cumulative.v1"'}},
    ),
    "adaptation": Example(
        "UnigramCache",
        "unigram_cache",
        "char_lm",
        _TEXT,
        {"components.lm.model.adaptation": {"@rnnpipe_adaptations": '"acme.UnigramCache.v1"'}},
    ),
}
