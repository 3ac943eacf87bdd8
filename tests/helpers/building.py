"""How the contract tests build every registered component."""

from importlib.metadata import entry_points

from rnnpipe.contracts.types import DecoderBuilder, Labels, SequenceGeneratorBuilder, TreeDecoder
from rnnpipe.testing.own_parts import own_settings

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
    """The settings that a component cannot do without, where its defaults would not do, or would
    leave it little to do."""
    special = {
        ("generator", "rnnpipe.Sampler.v1"): {"seed": 1},
        ("generator", "rnnpipe.StochasticBeam.v1"): {"seed": 1},
        ("symbols", "rnnpipe.Words.v1"): {"min_count": 1},
        ("symbols", "rnnpipe.SpacedWords.v1"): {"min_count": 1},
        ("symbols", "rnnpipe.Subwords.v1"): {"size": 270},
        ("adaptation", "rnnpipe.NeuralCache.v1"): {"size": 5, "share": 0.3, "sharpness": 2.0},
        ("adaptation", "rnnpipe.DynamicEvaluation.v1"): {"segment": 4},
    }
    if (kind, name) in special:
        return special[kind, name]
    # Built as either kind, to see which it is.
    return own_settings("decoder" if kind == "generator" else kind, name) or {}


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
