"""Byte pair encoding, learnt from documents and undone without loss."""

import builtins

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.errors import SettingsError
from rnnpipe.parts.symbols.subwords import Subwords

nlp = spacy.blank("en")
CORPUS = ["lower lower lower newest newest", "the widest, the newest and the lowest: né"]
TEXTS = st.text(st.sampled_from("lowest né\u3000\n😀,'_"), max_size=20)


@pytest.fixture(scope="module")
def symbols():
    builder = Subwords(size=290)
    return builder.build(builder.measure(map(nlp.make_doc, CORPUS)))


def texts_of(symbols, numbers):
    write = symbols.writer()
    return [write(number) for number in numbers.tolist()]


def test_frequent_parts_of_words_are_symbols(symbols):
    assert len(symbols) <= 290 + 2
    assert texts_of(symbols, symbols.encode("the slowest")) == ["the ", "s", "lowest"]
    assert symbols.pieces(nlp.make_doc("the slowest")) == ["the ", "s", "lowest"]
    # The most frequent has the first number.
    numbers = np.concatenate([symbols.read(nlp.make_doc(text)) for text in CORPUS])
    assert (numbers == 2).sum() == np.bincount(numbers).max()


@given(TEXTS)
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost(symbols, text):
    doc = nlp.make_doc(text)
    for numbers in (symbols.read(doc), symbols.encode(text)):
        data = b"".join(symbols._bytes[number - 2] for number in numbers.tolist())
        assert data.decode("utf-8", "surrogatepass") == text
    numbers, owners = symbols.read(doc), symbols.owners(doc)
    for i, token in enumerate(doc):
        data = b"".join(symbols._bytes[n - 2] for n in numbers[owners == i].tolist())
        assert data.decode("utf-8", "surrogatepass") == token.text_with_ws


def test_parts_of_characters():
    symbols = Subwords(size=257).build({"subwords": [chr(i) for i in range(256)], "merges": []})
    assert symbols.pieces(nlp.make_doc("é")) == ["\\xc3", "\\xa9"]
    assert texts_of(symbols, symbols.encode("é")) == ["", "é"]


def test_too_few():
    with pytest.raises(SettingsError, match="size: expected an integer greater than 256, got 256"):
        _registered()(size=256)


def _registered():
    from rnnpipe.contracts.registry import symbols as registry

    return registry.get("rnnpipe.Subwords.v1")


def test_without_the_package(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "tokenizers":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    text = (
        r"rnnpipe.Subwords.v1: expected the package tokenizers, got no such package. "
        r"Install it: pip install 'rnnpipe\[subwords\]'."
    )
    with pytest.raises(SettingsError, match=text):
        Subwords()
