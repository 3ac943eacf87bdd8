"""How the contract tests build every registered component."""

import atexit
import functools
import shutil
import tempfile
from importlib.metadata import entry_points

import numpy as np
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from rnnpipe.structures import Dags, Graphs, Grids, Sequences, Trees
from rnnpipe.types import DecoderBuilder, Labels, SequenceGeneratorBuilder, TreeDecoder, items_of

GROUPS = {
    "encoder": "rnnpipe_encoders",
    "pooler": "rnnpipe_poolers",
    "decoder": "rnnpipe_decoders",
    "embedding": "rnnpipe_embeddings",
    "generator": "rnnpipe_decoders",
    "filter": "rnnpipe_filters",
    "attention": "rnnpipe_attentions",
    "symbols": "rnnpipe_symbols",
    "output": "rnnpipe_outputs",
    "pixel_output": "rnnpipe_pixel_outputs",
    "adaptation": "rnnpipe_adaptations",
    "structure": "rnnpipe_structures",
    "edges": "rnnpipe_edges",
}
#: What tells the kinds of a group apart.
PROTOCOLS = {"decoder": DecoderBuilder, "generator": SequenceGeneratorBuilder}


def _decoder(builder):
    return builder(4, Labels(("x", "y")))


def parents_of(n):
    """A forest of n nodes, in post-order: one takes none, one or two of the trees before it."""
    parents, roots = [-1] * n, []
    for node in range(n):
        for child in roots[len(roots) - min(node % 3, len(roots)) :]:
            parents[child] = node
            roots.remove(child)
        roots.append(node)
    return parents


def trees_of(lengths, device="cpu"):
    return Trees.from_parents([parents_of(n) for n in lengths], device)


def edges_of(n):
    """Edges between n nodes without cycles: to one node on, one back, and two on."""
    order = [*range(0, n, 2), *range(1, n, 2)]
    hops = [(i, i + d) for d in (1, 2, 2) for i in range(n - d)]
    return [[order[i], order[j], 0] for i, j in hops]


def graphs_of(lengths, device="cpu"):
    return Graphs.from_edges(lengths, [edges_of(n) for n in lengths], 1, device)


def dags_of(lengths, device="cpu"):
    return Dags.from_edges(lengths, [edges_of(n) for n in lengths], 1, device)


def grids_of(lengths, device="cpu"):
    """Images of two rows, or of one."""
    return Grids.from_shapes([(1, n) if n % 2 else (2, n // 2) for n in lengths], device)


#: By the structure that an encoder reads: one of documents with these numbers of nodes.
STRUCTURES_OF = {
    Sequences: Sequences.of,
    Trees: trees_of,
    Graphs: graphs_of,
    Dags: dags_of,
    Grids: grids_of,
}

#: Kinds within a kind, by what the parts declare about themselves.
DECLARED = {
    "node_encoder": ("encoder", lambda builder: builder(4).structure in STRUCTURES_OF),
    "grid_encoder": ("encoder", lambda builder: builder(4).structure is Grids),
    "sequence_encoder": ("encoder", lambda builder: builder(4).structure is Sequences),
    "causal_encoder": (
        "encoder",
        lambda builder: builder(4).structure is Sequences and builder(4).causal,
    ),
    "node_decoder": ("decoder", lambda builder: _decoder(builder).labels_nodes),
    "tree_decoder": ("decoder", lambda builder: isinstance(_decoder(builder), TreeDecoder)),
    "document_decoder": ("decoder", lambda builder: _decoder(builder).labels_documents),
    "lexical_embedding": ("embedding", lambda builder: _lexical(builder)),
    "fed_embedding": (
        "embedding",
        lambda builder: any(part.upstream is not None for part in builder.parts()),
    ),
    "contextual_embedding": (
        "embedding",
        lambda builder: (
            not _lexical(builder) and builder.upstream is None and _items(builder) == {"tokens"}
        ),
    ),
    "token_structure": ("structure", lambda structure: items_of(structure) == "tokens"),
}


def _parts(builder):
    vocab = spacy.blank("en").vocab
    vocab.set_vector("a", np.ones(4, dtype="f"))
    return [part.build(part.measure({"a": 1}, vocab)) for part in builder.parts()]


def _lexical(builder):
    return all(part.lexical for part in _parts(builder))


def _items(builder):
    return {items_of(part) for part in _parts(builder)}


def _load(group, name):
    (entry,) = entry_points(group=group, name=name)
    return entry.load()


def settings_of(kind, name):
    """The settings that a component cannot do without, small."""
    hashed = {"width": 8, "norm": 50, "prefix": 20, "suffix": 20, "shape": 20}
    special = {
        ("embedding", "rnnpipe.Hashed.v1"): lambda: hashed,
        ("embedding", "rnnpipe.Words.v1"): lambda: {"width": 5},
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
        ("pooler", "rnnpipe.Mentions.v1"): lambda: {
            "pooler": _load("rnnpipe_poolers", "rnnpipe.Mean.v1")()
        },
        ("structure", "rnnpipe.TokenGraph.v1"): lambda: {"edges": every_edge()},
        ("structure", "rnnpipe.TokenDag.v1"): lambda: {"edges": {"next": next_token()}},
        ("edges", "rnnpipe.TwoWayEdges.v1"): lambda: {"edges": next_token()},
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
        ("filter", "rnnpipe.TopK.v1"): lambda: {"k": 3},
        ("filter", "rnnpipe.TopP.v1"): lambda: {"p": 0.9},
        ("filter", "rnnpipe.Typical.v1"): lambda: {"p": 0.9},
    }
    return special[kind, name]() if (kind, name) in special else {}


def annotated(nlp, n):
    """A document of n tokens with everything that structures and edges may be made of."""
    heads = [max(0, i - 1) for i in range(n)]
    doc = Doc(nlp.vocab, words=["a"] * n, heads=heads, deps=["dep"] * n, lemmas=["a"] * n)
    doc.spans["constituents"] = [Span(doc, 0, end) for end in range(1, n + 1)]
    doc.spans["coreference"] = [Span(doc, i, i + 1, label="it") for i in range(n)]
    doc.spans["mentions"] = [Span(doc, 0, 1), Span(doc, n - 1, n)] if n else []
    return doc


def next_token():
    return build("edges", "rnnpipe.NextTokenEdges.v1")


def every_edge():
    return {name: build("edges", name) for name in names_of("edges")}


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
    themselves: ``names_of("causal_encoder")``."""
    if kind in DECLARED:
        kind, declares = DECLARED[kind]
        return [name for name in names_of(kind) if declares(build(kind, name))]
    names = sorted(entry.name for entry in entry_points(group=GROUPS[kind]))
    if kind in PROTOCOLS:
        names = [name for name in names if isinstance(build(kind, name), PROTOCOLS[kind])]
    return names


def build(kind, name):
    """The builder of a registered component."""
    function = _load(GROUPS[kind], name)
    settings = settings_of(kind, name)
    if kind == "encoder" and not settings:
        settings = {"width": 5}
    return function(**settings)
