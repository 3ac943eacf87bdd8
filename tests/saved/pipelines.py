"""The pipelines that are stored: what they consist of, what they learn from, what they are asked.

Together they name every component and every registered part of a network. Filters, and all beams
but ``rnnpipe.Beam.v1``, are named in the calls alone, the others in the saved configs.
Most classify a text, since probabilities show more than labels.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import spacy
from saved.sentences import IMAGES, SENTENCES, UNSEEN, UNSEEN_IMAGE, Sentence
from spacy.language import Language
from spacy.vectors import Vectors

Block = dict[str, Any]
#: Of each component: its name, its factory and its settings.
Components = dict[str, tuple[str, Block]]


@dataclass(frozen=True)
class Stored:
    """One pipeline. prepare: what is done to the blank one before anything else. steps: how long it
    learns. calls: component, method and arguments."""

    components: Components
    sentences: list[Sentence] = field(default_factory=lambda: SENTENCES)
    unseen: Block = field(default_factory=lambda: UNSEEN[0])
    prepare: Callable[[Language], None] | None = None
    steps: int = 20
    calls: list[tuple[str, str, Block]] = field(default_factory=list)


def part(kind: str, name: str, /, **settings: Any) -> Block:
    return {f"@rnnpipe_{kind}": f"rnnpipe.{name}.v1", **settings}


def architecture(name: str, **settings: Any) -> Block:
    return {"@architectures": f"rnnpipe.{name}.v1", **settings}


HASHED = part("embeddings", "Hashed", width=6, norm=30, prefix=10, suffix=20, shape=10)
LSTM = part("encoders", "LSTM", width=6)
BILSTM = part("encoders", "BiLSTM", width=4)
SOFTMAX, CRF = part("decoders", "Softmax"), part("decoders", "CRF")
MEAN, LAST = part("poolers", "Mean"), part("poolers", "Last")
FULL, TIED = part("outputs", "FullSoftmax"), part("outputs", "TiedSoftmax")


def network(decoder: Block = SOFTMAX, **changes: Any) -> Block:
    parts = {"embedding": HASHED, "encoder": BILSTM, "decoder": decoder, **changes}
    return {"model": architecture("Network", **parts)}


def textcat(decoder: Block = SOFTMAX, **changes: Any) -> tuple[str, Block]:
    return "rnn_textcat", network(decoder, **{"pooler": MEAN, **changes})


# -- sequence encoders and embeddings --------------------------------------------------------------

#: Settings that change what a recurrent encoder computes or stores, spread over the cells.
CELLS: dict[str, Block] = {
    "RNN": {"nonlinearity": "relu"},
    "GRU": {"reset": "before", "weight_dropout": 0.1},
    "MGU": {"recurrent_dropout": 0.1},
    "UGRNN": {"depth": 2, "skip": True},
    "LSTM": {"depth": 2, "residual": True, "locked": True, "dropout": 0.1},
    "OriginalLSTM": {"layer_norm": True},
    "CIFG": {"forget_bias": 0.5},
    "PeepholeLSTM": {"layer_norm": True},
    "DiagonalRNN": {"depth": 2},
    "DiagonalGRU": {"layer_norm": True},
    "DiagonalLSTM": {},
}


def cells(prefix: str) -> Components:
    return {
        prefix + cell: textcat(
            encoder=part("encoders", prefix + cell, width=5, **settings), pooler=LAST
        )
        for cell, settings in CELLS.items()
    }


def embeddings() -> Components:
    words = part("embeddings", "Words", width=5, lowercase=True)
    language_model = part("embeddings", "LanguageModelEmbedding", path="language_models")
    kinds = {
        "words": words,
        "words_rare": part("embeddings", "Words", width=5, min_frequency=2),
        "words_singletons": {**words, "singleton_dropout": 0.5},
        "hashed": HASHED,
        "char_cnn": part(
            "embeddings", "CharCNN", width=6, char_width=4, kernel_sizes=[2, 3], max_length=6
        ),
        "char_rnn": part("embeddings", "CharRNN", char_width=4, encoder=BILSTM),
        "vectors": part("embeddings", "Vectors"),
        "vectors_finetuned": part("embeddings", "Vectors", finetune=True, width=4),
        "concat": part("embeddings", "Concat", parts={"words": words, "hashed": HASHED}),
        "mention_positions": part("embeddings", "MentionPositions", width=3, longest=4),
        "forward": {**language_model, "component": "characters"},
        "backward": {**language_model, "component": "backward", "width": 4, "finetune": True},
        "layers": {**language_model, "component": "deep", "layers": "mixture"},
    }
    return {name: textcat(embedding=embedding) for name, embedding in kinds.items()}


def add_vectors(nlp: Language) -> None:
    words = ["ada", "london", "paris", "river", "nothing", "rain", "grace"]
    rows = np.random.default_rng(0).standard_normal((len(words), 5), dtype=np.float32)
    keys = [nlp.vocab.strings.add(word) for word in words]
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=rows, keys=keys)


# -- poolers, decoders, schemes --------------------------------------------------------------------


def categories() -> Components:
    poolers = {
        "last": LAST,
        "mean": MEAN,
        "max": part("poolers", "Max"),
        "attention": part("poolers", "Attention"),
        "attention_wide": part("poolers", "Attention", width=3),
        "concat": part("poolers", "Concat", parts={"last": LAST, "mean": MEAN}),
    }
    found = {name: textcat(pooler=pooler) for name, pooler in poolers.items()}
    positive = part("decoders", "Sigmoid", positive_weights={"travel": 2.0})
    for name, decoder in {"multilabel": part("decoders", "Sigmoid"), "weighted": positive}.items():
        found[name] = "rnn_textcat_multilabel", network(decoder, pooler=MEAN)
    smooth = part(
        "decoders", "Softmax", label_smoothing=0.1, class_weights={"travel": 1.0, "dull": 2.0}
    )
    return {**found, "smooth": textcat(smooth)}


def labels() -> Components:
    states = part("decoders", "CRF", transitions="states")
    word_char = part("embeddings", "WordChar", width=2, char_width=4)
    free = part("decoders", "CRF", constrained=False)
    return {
        "tagger": ("rnn_tagger", network(CRF)),
        "pos": ("rnn_tagger", {**network(), "attribute": "pos"}),
        "morph": ("rnn_tagger", {**network(states), "attribute": "morph"}),
        "softmax": ("rnn_ner", {**network(SOFTMAX), "scheme": "BIO"}),
        "crf": ("rnn_ner", {**network(CRF), "n_best": 2}),
        "iob1": ("rnn_ner", {**network(states), "scheme": "IOB1"}),
        "biluo": ("rnn_ner", {**network({**states, "rank": 2}), "scheme": "BILUO"}),
        "bmes": ("rnn_ner", {**network(free), "scheme": "BMES"}),
        "io": ("rnn_ner", {**network(CRF), "scheme": "IO"}),
        "windows": ("rnn_ner", network(CRF, max_length=4, overlap=1)),
        "word_char": ("rnn_tagger", network(embedding=word_char)),
    }


# -- trees and graphs ------------------------------------------------------------------------------


def trees() -> Components:
    constituents = part("structures", "Constituents")
    arity: dict[str, Block] = {
        "RecursiveNet": {"arity": 3},
        "RNTN": {"arity": 3},
        "NaryTreeLSTM": {"arity": 3},
        "ChildSumTreeLSTM": {},
        "TreeGRU": {},
        "BiChildSumTreeLSTM": {},
    }
    found: Components = {
        name: (
            "rnn_treecat",
            network(structure=constituents, encoder=part("encoders", name, width=5, **settings)),
        )
        for name, settings in arity.items()
    }
    found["crf"] = "rnn_treecat", network(CRF, structure=part("structures", "SpanEnds"))
    root = network(structure=constituents, encoder=part("encoders", "TreeGRU", width=5))
    found["root"] = "rnn_treecat", {**root, "loss": "root"}
    dependencies = part("structures", "DependencyTree")
    up_and_down = part("encoders", "BiChildSumTreeLSTM", width=5)
    found["dependencies"] = "rnn_tagger", network(structure=dependencies, encoder=up_and_down)
    composition = part("encoders", "RecursiveNet", width=6)
    for name in ("LikelihoodParser", "MarginParser"):
        decoder = part("decoders", name, composition=composition, beam_size=2)
        found[name] = "rnn_treeparser", network(decoder)
    return found


def graphs() -> Components:
    next_token = part("edges", "NextTokenEdges")
    syntax = part("edges", "DependencyEdges", labels=["nsubj", "obj"])
    edges = {
        "words": part("edges", "TwoWayEdges", edges=next_token),
        "syntax": part("edges", "TwoWayEdges", edges=syntax),
        "lemmas": part("edges", "SameLemmaEdges"),
        "things": part("edges", "CoreferenceEdges", spans_key="coreference"),
    }
    graph = part("structures", "TokenGraph", edges=edges)
    dag = part("structures", "TokenDag", edges={"words": next_token})
    readers = {
        "BiDagLSTM": (graph, {"type_width": 3}),
        "GraphStateLSTM": (graph, {"steps": 2, "type_width": 3}),
        "DagLSTM": (dag, {}),
    }
    mentions = part("poolers", "Mentions", pooler=MEAN)
    found: Components = {"marked": marked(None, BILSTM, mentions)}
    for name, (structure, settings) in readers.items():
        encoder = part("encoders", name, width=5, **settings)
        found[name] = textcat(structure=structure, encoder=encoder)
        found[f"tagger_{name}"] = "rnn_tagger", network(structure=structure, encoder=encoder)
        found[f"marked_{name}"] = marked(structure, encoder, mentions)
    return found


def marked(inner: Block | None, encoder: Block, pooler: Block) -> tuple[str, Block]:
    structure = part("structures", "WithMentions", inner=inner)
    return textcat(structure=structure, encoder=encoder, pooler=pooler)


# -- language models -------------------------------------------------------------------------------


def language_model(
    symbols: Block, encoder: Block = LSTM, end_symbol: bool = True, **changes: Any
) -> tuple[str, Block]:
    parts = {"symbols": symbols, "encoder": encoder, "output": FULL, "width": 6, **changes}
    return "rnn_lm", {"model": architecture("LanguageModel", **parts), "end_symbol": end_symbol}


CHARACTERS = part("symbols", "Characters")


def language_models() -> Components:
    words = part("symbols", "Words", min_count=1)
    deep = part("encoders", "LSTM", width=5, depth=2)
    adaptive = part("outputs", "AdaptiveSoftmax", cutoffs=[4, 8], reduction=2)
    sampled = part("outputs", "SampledSoftmax", samples=5, tied=True)
    cache = part("adaptations", "NeuralCache", size=20)
    dynamic = part("adaptations", "DynamicEvaluation", segment=5)
    return {
        "characters": language_model(CHARACTERS),
        "backward": language_model(part("symbols", "Backward", symbols=CHARACTERS)),
        "deep": language_model(CHARACTERS, deep),
        "decomposed": language_model(part("symbols", "DecomposedCharacters"), end_symbol=False),
        "bytes": language_model(part("symbols", "Bytes"), part("encoders", "GRU", width=6)),
        "words": language_model(words, output=TIED),
        "rare_words": language_model(part("symbols", "Words")),
        "spaced_words": language_model(
            part("symbols", "SpacedWords", min_count=1),
            part("encoders", "DiagonalLSTM", width=6),
        ),
        "adaptive": language_model(words, output=adaptive),
        "sampled": language_model(words, output=sampled),
        "regularised": language_model(
            CHARACTERS,
            part("encoders", "LSTM", width=6, weight_dropout=0.2),
            locked=True,
            dropout=0.1,
            embedding_dropout=0.1,
            activation_regularisation=1.0,
            temporal_regularisation=1.0,
            word_dropout=0.1,
            scheduled_sampling=0.1,
        ),
        "cache": language_model(CHARACTERS, adaptation=cache),
        "dynamic": language_model(CHARACTERS, adaptation=dynamic, max_length=4),
    }


def generations() -> Iterator[tuple[str, str, Block]]:
    """Text in every way that it can be written."""
    for name in language_models():
        settings = {"prompt": "", "seed": 1, "max_length": 12, "temperature": 0.8}
        # The other has no end symbol to put off.
        shortest = {} if name == "decomposed" else {"min_length": 6}
        yield name, "generate", {**settings, **shortest}
    filters = {
        "TopK": {"k": 5},
        "TopP": {"p": 0.9},
        "MinP": {"p": 0.05},
        "Typical": {"p": 0.9},
        "RepetitionPenalty": {"penalty": 1.2},
        "NoRepeat": {"n": 2},
        "Forbidden": {"phrases": ["th"]},
        "Forced": {"phrase": "we"},
    }
    for name, settings in filters.items():
        blocks = {name: part("filters", name, **settings)}
        decoder = part("decoders", "Sampler", filters=blocks, seed=2, max_length=12)
        yield "characters", "generate", {"prompt": "", "decoder": decoder}
    beams: dict[str, Block] = {
        "Beam": {"length_penalty": "gnmt", "alpha": 0.6, "stop": ["."]},
        "ConstrainedBeam": {"phrases": ["th"]},
        "DiverseBeam": {},
        "StochasticBeam": {"seed": 3},
    }
    for name, settings in beams.items():
        decoder = part("decoders", name, max_length=12, **settings)
        yield "characters", "generate", {"prompt": "r", "decoder": decoder}


# -- translations and captions ---------------------------------------------------------------------


def translation(search: Block | None = None, **changes: Any) -> tuple[str, Block]:
    parts = {
        "source": CHARACTERS,
        "target": CHARACTERS,
        "encoder": BILSTM,
        "decoder": part("encoders", "LSTM", width=8),
        "attention": part("attentions", "General"),
        "output": FULL,
        "width": 6,
        **changes,
    }
    search = search or part("decoders", "Beam", beam_size=2, max_length=20)
    return "rnn_seq2seq", {"search": search, "model": architecture("Seq2Seq", **parts)}


def translations() -> Components:
    greedy = part("decoders", "Sampler", temperature=0.0, max_length=20)
    covered = part(
        "decoders",
        "Beam",
        beam_size=2,
        max_length=20,
        coverage_penalty=0.1,
        length_penalty="average",
    )
    words = part("symbols", "Words", min_count=1)
    gru = part("encoders", "GRU", width=8)
    factory, copying = translation(source=words, target=part("symbols", "Words"))
    return {
        "general": translation(),
        "dot": translation(attention=part("attentions", "Dot")),
        "additive": translation(greedy, attention=part("attentions", "Additive", width=4)),
        "without": translation(attention=None, reverse_source=True, encoder=LSTM),
        "feeding": translation(covered, input_feeding=True, label_smoothing=0.1),
        "shared": translation(target=None, decoder=gru, output=TIED),
        "copying": (factory, {**copying, "copy_unknown": True}),
    }


def captions() -> Components:
    kinds: dict[str, tuple[str, Block, Block, Block]] = {
        "rows": (
            "ImageRows",
            part("embeddings", "PixelRows", columns=4, levels=2),
            BILSTM,
            {"attention": part("attentions", "General")},
        ),
        "grid": ("ImageGrid", part("embeddings", "Pixels", levels=2), ROW_LSTM, {}),
        "pixels": ("ImagePixels", part("embeddings", "Pixels", levels=2), BILSTM, {}),
    }
    return {
        name: (
            "rnn_seq2seq",
            {
                "attribute": "caption",
                "search": part("decoders", "Beam", beam_size=2, max_length=8),
                "model": architecture(
                    "ImageToText",
                    structure=part("structures", structure),
                    embedding=embedding,
                    encoder=encoder,
                    decoder=part("encoders", "LSTM", width=8),
                    target=CHARACTERS,
                    output=FULL,
                    width=6,
                    **others,
                ),
            },
        )
        for name, (structure, embedding, encoder, others) in kinds.items()
    }


# -- images ----------------------------------------------------------------------------------------

ROW_LSTM = part("encoders", "RowLSTM", width=5)
DIAGONAL = part("encoders", "DiagonalBiLSTM", width=4)
PIXEL_CNN = part("encoders", "PixelCNN", width=4, depth=2)


def image_model(
    encoder: Block, output: str, levels: int = 2, conditional: bool = False, **settings: Any
) -> tuple[str, Block]:
    sizes = {"levels": levels, "width": 4, "reach": 1, "readout": 6}
    block = part("pixel_outputs", output, **settings)
    model = architecture("ImageModel", encoder=encoder, output=block, **sizes)
    return "rnn_image", {"model": model, "conditional": conditional}


def images() -> Components:
    pixels = part("embeddings", "Pixels", levels=2)
    rows = part("embeddings", "PixelRows", columns=4, levels=2)
    grid, row = part("structures", "ImageGrid"), part("structures", "ImageRows")
    pixel = part("structures", "ImagePixels")
    return {
        "cnn": image_model(PIXEL_CNN, "Bernoulli"),
        "classes": image_model(PIXEL_CNN, "Bernoulli", conditional=True),
        "row_lstm": image_model(ROW_LSTM, "Softmax", levels=3),
        "diagonal": image_model(DIAGONAL, "DiscretizedLogisticMixture", levels=4, mixtures=2),
        "grid": textcat(structure=grid, embedding=pixels, encoder=DIAGONAL),
        "pixels": textcat(structure=pixel, embedding=pixels),
        "rows": textcat(structure=row, embedding=rows),
    }


def drawings() -> Iterator[tuple[str, str, Block]]:
    for name in ("cnn", "classes", "row_lstm", "diagonal"):
        yield name, "generate", {"n": 2, "seed": 0}
        yield name, "complete", {"image": UNSEEN_IMAGE["_"]["image"], "temperature": 0.0}


# -- spaCy's own components over ours --------------------------------------------------------------


def shared() -> Components:
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 8}
    tok2vec = {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": architecture("Tok2VecEmbedding", embedding=HASHED, width=6),
        "encode": architecture("Tok2VecEncoder", encoder=BILSTM, width=8),
    }
    ours = part("embeddings", "Tok2Vec", tok2vec=listener, width=5)
    return {
        "tok2vec": ("tok2vec", {"model": tok2vec}),
        "tagger": ("tagger", {"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}}),
        "rnn_textcat": textcat(embedding=ours),
        "rnn_ner": ("rnn_ner", network(CRF, embedding={**ours, "width": None})),
    }


_ON_IMAGES: dict[str, Any] = {"sentences": IMAGES, "unseen": UNSEEN_IMAGE}
#: In the order in which they are made: embeddings read the language models.
PIPELINES = {
    "language_models": Stored(language_models(), steps=40, calls=list(generations())),
    "subwords": Stored(
        {"subwords": language_model(part("symbols", "Subwords", size=270))},
        calls=[("subwords", "generate", {"prompt": "", "seed": 1, "max_length": 12})],
    ),
    "cells": Stored(cells("")),
    "cells_both_ways": Stored(cells("Bi")),
    "embeddings": Stored(embeddings(), prepare=add_vectors),
    "categories": Stored(categories()),
    "labels": Stored(labels(), steps=40),
    "trees": Stored(trees(), steps=40),
    "graphs": Stored(graphs()),
    "translations": Stored(translations(), steps=100),
    "captions": Stored(captions(), **_ON_IMAGES, steps=100),
    "images": Stored(images(), **_ON_IMAGES, steps=30, calls=list(drawings())),
    "shared": Stored(shared(), steps=40),
}


def blank(stored: Stored) -> Language:
    """Return the pipeline, untrained."""
    nlp = spacy.blank("xx")
    if stored.prepare:
        stored.prepare(nlp)
    for name, (factory, config) in stored.components.items():
        nlp.add_pipe(factory, name=name, config=config)
    return nlp
