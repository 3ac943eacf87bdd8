"""How the contract tests build every registered component."""

from importlib.metadata import entry_points

GROUPS = {
    "encoder": "rnnpipe_encoders",
    "pooler": "rnnpipe_poolers",
    "decoder": "rnnpipe_decoders",
    "embedding": "rnnpipe_embeddings",
}


def _load(group, name):
    (entry,) = entry_points(group=group, name=name)
    return entry.load()


def settings_of(kind, name):
    """The settings that a component cannot do without, small."""
    hashed = {"width": 8, "norm": 50, "prefix": 20, "suffix": 20, "shape": 20}
    special = {
        ("embedding", "rnnpipe.Hashed.v1"): lambda: hashed,
        ("embedding", "rnnpipe.Words.v1"): lambda: {"width": 5},
        ("embedding", "rnnpipe.CharRNN.v1"): lambda: {
            "encoder": _load("rnnpipe_encoders", "rnnpipe.BiLSTM.v1")(width=3)
        },
        ("embedding", "rnnpipe.Concat.v1"): lambda: {
            "parts": {
                "hashed": _load("rnnpipe_embeddings", "rnnpipe.Hashed.v1")(**hashed),
                "words": _load("rnnpipe_embeddings", "rnnpipe.Words.v1")(width=5),
            }
        },
        ("pooler", "rnnpipe.Concat.v1"): lambda: {
            "parts": {
                "last": _load("rnnpipe_poolers", "rnnpipe.Last.v1")(),
                "mean": _load("rnnpipe_poolers", "rnnpipe.Mean.v1")(),
            }
        },
        ("embedding", "rnnpipe.Tok2Vec.v1"): lambda: {"tok2vec": FixedWidth(6)},
    }
    return special[kind, name]() if (kind, name) in special else {}


class FixedWidth:
    """A thinc layer as far as an embedding looks at one before it is run."""

    def __init__(self, width):
        self.width = width

    def has_dim(self, name):
        return name == "nO"

    def get_dim(self, name):
        return self.width


def build(kind, name):
    """The builder of a registered component."""
    function = _load(GROUPS[kind], name)
    settings = settings_of(kind, name)
    if kind == "encoder" and not settings:
        settings = {"width": 5}
    return function(**settings)
