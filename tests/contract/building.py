"""How the contract tests build every registered component."""

import atexit
import functools
import shutil
import tempfile
from importlib.metadata import entry_points

import spacy
from spacy.training import Example

from rnnpipe.testing.registered import KINDS
from rnnpipe.testing.registered import build as smallest
from rnnpipe.types import DecoderBuilder, Labels, SequenceGeneratorBuilder, TreeDecoder

GROUPS = {
    "decoder": "rnnpipe_decoders",
    "generator": "rnnpipe_decoders",
    "symbols": "rnnpipe_symbols",
    "adaptation": "rnnpipe_adaptations",
}
#: What tells the kinds of a group apart.
PROTOCOLS = {"decoder": DecoderBuilder, "generator": SequenceGeneratorBuilder}


def _decoder(builder):
    return builder(4, Labels(("x", "y")))


#: Kinds within a kind, by what the parts declare about themselves.
DECLARED = {
    "tree_decoder": ("decoder", lambda builder: isinstance(_decoder(builder), TreeDecoder)),
}


def _load(group, name):
    (entry,) = entry_points(group=group, name=name)
    return entry.load()


def settings_of(kind, name):
    """The settings that a component cannot do without, where small ones that the kit guesses would
    not do, or would leave it little to do."""
    hashed = {"width": 8, "norm": 50, "prefix": 20, "suffix": 20, "shape": 20}
    special = {
        ("embedding", "rnnpipe.Hashed.v1"): lambda: hashed,
        ("embedding", "rnnpipe.PixelRows.v1"): lambda: {"columns": 4},
        ("embedding", "rnnpipe.CharRNN.v1"): lambda: {
            "encoder": _load("rnnpipe_encoders", "rnnpipe.BiLSTM.v1")(width=3)
        },
        ("embedding", "rnnpipe.Concat.v1"): lambda: {
            "parts": {
                "hashed": _load("rnnpipe_embeddings", "rnnpipe.Hashed.v1")(**hashed),
                "words": _load("rnnpipe_embeddings", "rnnpipe.Words.v1")(width=5),
            }
        },
        ("structure", "rnnpipe.TokenGraph.v1"): lambda: {"edges": every_edge()},
        ("pooler", "rnnpipe.Concat.v1"): lambda: {
            "parts": {
                "last": _load("rnnpipe_poolers", "rnnpipe.Last.v1")(),
                "mean": _load("rnnpipe_poolers", "rnnpipe.Mean.v1")(),
            }
        },
        ("embedding", "rnnpipe.LanguageModelEmbedding.v1"): lambda: {"path": language_model()},
        ("embedding", "rnnpipe.Tok2Vec.v1"): lambda: {"tok2vec": FixedWidth(6)},
        ("generator", "rnnpipe.Sampler.v1"): lambda: {"seed": 1},
        # Built as either kind, to see which it is.
        **{
            (kind, f"rnnpipe.{loss}Parser.v1"): composition
            for kind in ("decoder", "generator")
            for loss in ("Likelihood", "Margin")
        },
        ("decoder", "rnnpipe.ConstrainedBeam.v1"): lambda: {"phrases": [[1], [2, 3]]},
        ("generator", "rnnpipe.ConstrainedBeam.v1"): lambda: {"phrases": [[1], [2, 3]]},
        ("generator", "rnnpipe.StochasticBeam.v1"): lambda: {"seed": 1},
        ("symbols", "rnnpipe.Words.v1"): lambda: {"min_count": 1},
        ("symbols", "rnnpipe.SpacedWords.v1"): lambda: {"min_count": 1},
        ("symbols", "rnnpipe.Subwords.v1"): lambda: {"size": 270},
        ("adaptation", "rnnpipe.NeuralCache.v1"): lambda: {
            "size": 5,
            "share": 0.3,
            "sharpness": 2.0,
        },
        ("adaptation", "rnnpipe.DynamicEvaluation.v1"): lambda: {"segment": 4},
        ("output", "rnnpipe.AdaptiveSoftmax.v1"): lambda: {"cutoffs": [3, 6]},
        ("filter", "rnnpipe.Forbidden.v1"): lambda: {"phrases": [[1], [2, 3]]},
        ("filter", "rnnpipe.Forced.v1"): lambda: {"phrase": [1, 2]},
        ("filter", "rnnpipe.MinP.v1"): lambda: {"p": 0.1},
        ("filter", "rnnpipe.NoRepeat.v1"): lambda: {"n": 2},
        ("filter", "rnnpipe.RepetitionPenalty.v1"): lambda: {"penalty": 1.2},
        ("filter", "rnnpipe.TopP.v1"): lambda: {"p": 0.9},
        ("filter", "rnnpipe.Typical.v1"): lambda: {"p": 0.9},
    }
    if (kind, name) in special:
        return special[kind, name]()
    return {"width": 5} if kind == "encoder" else {}


def every_edge():
    edges = KINDS["edge"]
    return {name: smallest(edges, name) for name in entry_points(group=edges.registry.group).names}


def composition():
    return {"composition": _load("rnnpipe_encoders", "rnnpipe.RecursiveNet.v1")(width=5)}


@functools.cache
def language_model():
    """The folder of a pipeline with a language model."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_lm", name="lm")
    doc = nlp.make_doc("The red house in Berlin.")
    nlp.initialize(lambda: [Example(doc, doc)])
    nlp.to_disk(folder)
    return folder


class FixedWidth:
    """A thinc layer as far as an embedding looks at one before it is run."""

    def __init__(self, width):
        self.width = width

    def has_dim(self, name):
        return name == "nO"

    def get_dim(self, name):
        return self.width


def names_of(kind):
    """Every registered name of a kind, or of those of a kind that declare something about
    themselves: ``names_of("tree_decoder")``."""
    if kind in DECLARED:
        kind, declares = DECLARED[kind]
        return [name for name in names_of(kind) if declares(build(kind, name))]
    names = sorted(entry.name for entry in entry_points(group=GROUPS[kind]))
    if kind in PROTOCOLS:
        names = [name for name in names if isinstance(build(kind, name), PROTOCOLS[kind])]
    return names


def build(kind, name):
    """The builder of a registered component."""
    return _load(GROUPS[kind], name)(**settings_of(kind, name))
