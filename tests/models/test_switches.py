"""Bounds on memory: how many positions are computed at once, counted where they reach an encoder,
and what is computed again for the gradient instead of being kept."""

import numpy as np
import pytest
import spacy
import torch
from helpers import small_language_model, small_seq2seq
from spacy.tokens import Doc

from rnnpipe.contracts.types import Labels
from rnnpipe.models.images.image_model import ImageModelBuilder, Picture
from rnnpipe.models.labelling.annotated import AnnotatedDoc
from rnnpipe.models.labelling.batching import Limits, make_batch
from rnnpipe.models.labelling.network import NetworkBuilder, to_device
from rnnpipe.models.translation.decoding import search
from rnnpipe.parts.attentions import additive
from rnnpipe.parts.attentions.additive import Additive
from rnnpipe.parts.decoders.generation.sampler import Sampler
from rnnpipe.parts.decoders.softmax import Softmax
from rnnpipe.parts.embeddings.hashed import Hashed
from rnnpipe.parts.embeddings.language_model import LanguageModelEmbedding
from rnnpipe.parts.encoders.image.pixel_cnn import PixelCNN
from rnnpipe.parts.encoders.sequence.bidirectional import BiLSTM
from rnnpipe.parts.encoders.sequence.recurrent import LSTM
from rnnpipe.parts.pixel_outputs.bernoulli import Bernoulli
from rnnpipe.parts.structures.constituents import Constituents
from rnnpipe.parts.symbols.characters import Characters

NLP = spacy.blank("en")


def shapes_into(module):
    """``[(B, T), ...]``: what a module is given from now on, its shape without the last axis."""
    seen = []
    module.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape[:-1])))
    return seen


def make_docs(lengths):
    return [Doc(NLP.vocab, words=["w"] * n) for n in lengths]


class Labelling:
    """A network over documents of given lengths, and the shapes that reach its encoder."""

    def __init__(self, lengths, *limits):
        self.docs, limits = make_docs(lengths), Limits(*limits)
        builder = NetworkBuilder(Hashed(width=4), BiLSTM(width=2), Softmax(), limits=limits)
        labels = Labels(("x", "y"))
        self.network = builder.build(builder.measure({"w": 9}, NLP.vocab, labels)).eval()
        self.shapes = shapes_into(self.network.encoder)
        self.batch = make_batch(self.docs, limits)

    def predicted(self):
        self.shapes.clear()
        with torch.no_grad():
            self.network.answers(self.batch, lambda decoder, x, lengths: list(lengths))
        return sorted(self.shapes)

    def trained(self):
        self.shapes.clear()
        golds = [np.zeros(len(doc), dtype=np.int64) for doc in self.docs]
        items = [AnnotatedDoc(doc, gold) for doc, gold in zip(self.docs, golds, strict=True)]
        self.network.accumulate_gradients(items)
        return sorted(self.shapes)


@pytest.mark.parametrize(
    ("lengths", "cap", "shapes"),
    [
        ([8, 7], 16, [(2, 8)]),  # as many positions as may be
        ([8, 7], 15, [(1, 7), (1, 8)]),
        ([8, 8, 8, 8], 16, [(2, 8), (2, 8)]),
        ([8, 8, 8, 8], 15, [(1, 8)] * 4),
        ([8, 8], 7, [(1, 8), (1, 8)]),  # a document is the least that can be computed
    ],
)
def test_documents_share_a_bucket_up_to_the_cap(lengths, cap, shapes):
    network = Labelling(lengths, 512, 64, cap)
    assert network.predicted() == network.trained() == shapes


@pytest.mark.parametrize(
    ("length", "cap", "shapes", "again"),
    [
        (10, 20, [(1, 10)], False),  # as long as a window
        (11, 20, [(2, 10)], False),  # two windows, which just fit
        (11, 19, [(1, 3), (1, 10)], True),
        (66, 25, [(2, 10)] * 4, True),  # 10 and then 8 of each are new
        (66, 9, [(1, 10)] * 8, True),
    ],
)
def test_windows_are_bounded_and_computed_again_for_the_gradient(length, cap, shapes, again):
    """A long document holds no more than one piece's hidden states at a time."""
    network = Labelling([length], 10, 2, cap)
    assert network.predicted() == shapes
    assert network.trained() == sorted(shapes * (1 + again))


def test_nodes_of_other_structures_share_a_bucket_up_to_the_cap():
    docs = make_docs([3, 3, 3])
    for doc in docs:
        doc.spans["constituents"] = [doc[:]]  # with the tokens, four nodes
    for cap, sizes in ((12, [3]), (11, [2, 1]), (4, [1, 1, 1]), (1, [1, 1, 1])):
        batch = make_batch(docs, Limits(2, 1, cap), Constituents())
        assert [len(bucket.documents) for bucket in batch.buckets] == sizes


@pytest.mark.parametrize(("cap", "sizes"), [(36, [3, 2]), (35, [2, 2, 1]), (11, [1] * 5)])
def test_images_are_computed_together_up_to_the_most_pixels(cap, sizes):
    builder = ImageModelBuilder(PixelCNN(width=2), Bernoulli(), width=2, readout=2, max_pixels=cap)
    model = builder.build({"channels": 1, "levels": 2, "labels": []}).eval()
    shapes = shapes_into(model.encoder)
    pictures = [Picture(np.zeros((3, 4, 1), np.uint8))] * 5
    with torch.no_grad():
        model.log_likelihoods(pictures)
    assert shapes == [(n, 12) for n in sizes]
    shapes.clear()
    model.accumulate_gradients(pictures)
    assert shapes == [(n, 12) for n in sizes]


@pytest.mark.parametrize(
    ("cap", "shapes"),
    [
        (12, [(3, 4), (3, 4), (3, 1)]),
        (11, [(2, 4), (2, 4), (2, 1), (1, 4), (1, 4), (1, 1)]),
        (3, [(1, 4), (1, 4), (1, 1)] * 3),
    ],
)
def test_texts_are_read_in_pieces_up_to_the_most_symbols(cap, shapes):
    network = small_language_model.model(max_length=4, max_padded_symbols=cap)
    seen = shapes_into(network.encoder)
    texts = [small_language_model.text(9, seed) for seed in range(3)]
    with torch.no_grad():
        network.log_likelihoods(texts)
    assert seen == shapes
    seen.clear()
    network.accumulate_gradients(texts)
    assert seen == shapes


@pytest.mark.parametrize("n_symbols", [7, 8, 9])
def test_a_text_that_goes_on_is_read_in_pieces(n_symbols):
    network = small_language_model.model(max_length=4)
    seen = shapes_into(network.encoder)
    sizes = [(1, min(4, n_symbols - begin)) for begin in range(0, n_symbols, 4)]
    text, start = small_language_model.text(n_symbols), network.encoder.start(1)
    with torch.no_grad():
        network.log_likelihood(text, start)
        network.read(text.inputs, start)
    assert seen == sizes * 2


@pytest.mark.parametrize(
    ("max_length", "cap", "shapes", "pieces"),
    [
        (6, 12, [(2, 6)], 1),  # the boundary and five characters, just one piece
        (6, 11, [(1, 6)] * 2, 1),
        (4, 8, [(2, 4), (2, 2)], 2),
        (4, 7, [(1, 4), (1, 2)] * 2, 2),
    ],
)
@pytest.mark.parametrize("finetune", [True, False])
def test_pieces_of_a_language_model_that_is_read_for_its_states(
    max_length, cap, shapes, pieces, finetune
):
    embedding = LanguageModelEmbedding(
        Characters().build(small_language_model.FACTS),
        LSTM(width=3)(2),
        2,
        dict,
        layers="top",
        finetune=finetune,
        project=None,
        dropout=0.0,
        max_length=max_length,
        max_padded_symbols=cap,
    ).train()
    seen = shapes_into(embedding.encoder)
    docs = [NLP.make_doc("ab cd"), NLP.make_doc("abcde")]
    vectors = embedding(to_device(embedding.featurize(docs), torch.device("cpu")))
    assert seen == shapes
    if finetune:
        vectors.sum().backward()  # computes pieces again instead of keeping all states
        assert sorted(seen) == sorted(shapes * (1 + (pieces > 1)))


@pytest.mark.parametrize(("cap", "sizes"), [(15, [3]), (14, [1, 2]), (4, [1, 1, 1])])
def test_translations_are_computed_together_up_to_the_most_symbols(cap, sizes):
    """A search holds eight times as much, so it reads an eighth of it."""
    pairs = small_seq2seq.pairs((5, 3), (2, 4), (5, 4))  # of targets, one more for the boundary
    network = small_seq2seq.model(max_padded_symbols=cap).eval()
    seen = shapes_into(network.encoder)
    with torch.no_grad():
        network.align(pairs)
    assert sorted(n for n, _ in seen) == sizes
    seen.clear()
    network.accumulate_gradients(pairs)
    assert sorted(n for n, _ in seen) == sizes
    seen.clear()
    searching = small_seq2seq.model(max_padded_symbols=8 * cap).eval()
    seen = shapes_into(searching.encoder)
    generator = Sampler(seed=0, max_length=1).generator(Alphabet())
    sources = [pair.source[:4] for pair in pairs[::2]] + [pairs[2].source[1:]]  # and a boundary
    with torch.no_grad():
        search(searching, sources, generator)
    assert sorted(n for n, _ in seen) == sizes


class Alphabet:
    """Of the small models' targets."""

    size, end = small_seq2seq.SIZE, 0

    def encode(self, text):
        return [1 + "uvwxyz".index(letter) for letter in text]


@pytest.mark.parametrize(
    ("most", "steps"), [(120, [5]), (119, [4, 1]), (24, [1] * 5), (1, [1] * 5)]
)
def test_additive_attention_is_bounded_and_computed_again_for_the_gradient(
    most, steps, monkeypatch
):
    monkeypatch.setattr(additive, "_MANY", most)
    torch.manual_seed(0)
    attention = Additive(width=4)(2, 3)
    seen = shapes_into(attention.score)
    queries, states = torch.randn(2, 5, 2), torch.randn(2, 3, 3)  # 24 hidden units a step
    scores = attention.scores(queries, attention.keys(states))
    assert seen == [(2, n, 3) for n in steps]
    scores.sum().backward()
    assert len(seen) == len(steps) * (1 + (most < 120))
