"""The kit finds every way in which the reading of documents can break a promise."""

import random
from dataclasses import replace

import numpy as np
import pytest
import spacy
import torch
from helpers.broken import can_all_be_broken, told

from rnnpipe.parts.structures.span_ends import SpanEnds
from rnnpipe.parts.structures.with_mentions import TokenRows
from rnnpipe.structures import Sequences, Trees
from rnnpipe.testing import BrokenPromise, check_structure
from rnnpipe.testing.structures import STRUCTURE


class Reader(TokenRows):
    """The tokens in a row, and a node above them."""

    def read(self, doc):
        nodes = super().read(doc)
        return self.spoil(replace(nodes, tokens=np.append(nodes.tokens, -1)))

    def spoil(self, nodes):
        return nodes


class Short(Reader):
    def spoil(self, nodes):
        return replace(nodes, tokens=nodes.tokens[1:])


class Beyond(Reader):
    def spoil(self, nodes):
        return replace(nodes, tokens=np.append(nodes.tokens, len(nodes.tokens)))


class Narrow(Reader):
    def spoil(self, nodes):
        return replace(nodes, tokens=nodes.tokens.astype(np.int32))


class Miscounted(Reader):
    def spoil(self, nodes):
        return replace(nodes, n_items=len(nodes.tokens))


class Unlabelled(Reader):
    def spoil(self, nodes):
        return replace(nodes, labelled=nodes.labelled[1:])


class Floating(Reader):
    def spoil(self, nodes):
        return replace(nodes, labelled=nodes.labelled.astype(float))


class Outside(Reader):
    def spoil(self, nodes):
        return replace(nodes, labelled=nodes.labelled + 2)


class Backwards(Reader):
    def spoil(self, nodes):
        return replace(nodes, labelled=nodes.labelled[::-1])


class Spans(Reader):
    spans_key = "mentions"


class Promised(Reader):
    structure = Trees


class Tokens(Reader):
    def build(self, nodes, device):
        return Sequences.of([len(each.labelled) for each in nodes], device)


class Unhosted(Reader):
    def build(self, nodes, device):
        return replace(super().build(nodes, device), host_lengths=None)


class Mixed(Reader):
    def build(self, nodes, device):
        structure = super().build(nodes, device)
        return replace(structure, lengths=structure.lengths.flip(0))


class Staying(Reader):
    def build(self, nodes, device):
        return super().build(nodes, torch.device("cpu"))


class Looking(Reader):
    def build(self, nodes, device):
        structure = super().build(nodes, device)
        return replace(structure, size=int(structure.lengths.sum().item()))


class Wide(Reader):
    def build(self, nodes, device):
        structure = super().build(nodes, device)
        return replace(structure, size=structure.size + (device.type == "meta"))


class Random(Reader):
    def __init__(self):
        self.link = random.SystemRandom().getrandbits(60)

    def __reduce__(self):
        return Random, ()

    def spoil(self, nodes):
        return replace(nodes, links=np.array([self.link]))


BROKEN = [
    ("nodes", Short, "tokens = 1.\nFound: tokens: expected all of the 1 tokens, got none of [0]."),
    ("nodes", Beyond, "Found: tokens: expected some of the 0 tokens or -1, got [1]."),
    ("nodes", Narrow, "tokens = 0.\nFound: tokens: expected torch.int64, got torch.int32."),
    ("nodes", Miscounted, "tokens = 0.\nFound: n_items: expected 0, got 1."),
    ("labels", Unlabelled, "tokens = 1.\nFound: labelled: expected 1, got 0."),
    ("labels", Floating, "Found: labelled: expected torch.int64, got torch.float64."),
    ("labels", Outside, "tokens = 1.\nFound: labelled: expected some of the 2 nodes, got [2]."),
    ("labels", Backwards, "tokens = 5.\nFound: labelled tokens: expected the same values to the l"),
    ("labels", Spans, "tokens = 1.\nFound: labelled: expected 2, got 1."),
    ("batch", Promised, "lengths = [].\nFound: structure: expected Trees, got Sequences."),
    ("batch", Tokens, "lengths = [0].\nFound: host_lengths: expected (1,), got (0,)."),
    ("batch", Unhosted, "lengths = [].\nFound: host_lengths: expected (), got None."),
    ("batch", Mixed, "lengths: expected (11, 1, 2, 6, 11), got (11, 6, 2, 1, 11)."),
    ("meta", Staying, "Found: mask: expected the device 'meta', got 'cpu'."),
    ("meta", Looking, "Found: RuntimeError: Tensor.item() cannot be called on meta tensors"),
    ("meta", Wide, "mask: expected the shape (0, 0), got (0, 1)."),
    ("copies", Random, "Found: links of a pickle: expected the same values, got others."),
]


@pytest.mark.parametrize("promise, reader, found", BROKEN)
def test_a_broken_promise_is_found(promise, reader, found):
    assert found in told(STRUCTURE, promise, reader())


def test_every_promise_can_be_broken():
    assert can_all_be_broken(STRUCTURE, BROKEN)


def test_sound_readers_break_none():
    check_structure(Reader())
    check_structure(SpanEnds(), docs=lambda vocab, ns: [words_and_spans(vocab, n) for n in ns])
    check_structure("rnnpipe.TokenDag.v1")


def words_and_spans(vocab, n):
    doc = spacy.tokens.Doc(vocab, words=["a"] * n)
    if n:
        doc.spans["constituents"] = [doc[:n], doc[:1], doc[:n]]
    return doc


class Frames(Reader):
    items = "frames"


def test_items_that_nothing_is_known_of():
    with pytest.raises(BrokenPromise) as caught:
        check_structure(Frames())
    told = "Frames: expected a function that makes documents with frames, got none. Pass it as docs"
    assert told in str(caught.value)
