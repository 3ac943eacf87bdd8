"""Text read in pieces is the text read at once."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import spacy
from helpers.small_pipelines import SYMBOLS, language_model
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.instruments import reading
from rnnpipe.instruments.reading import Reader
from rnnpipe.parts.symbols.subwords import Subwords

TEXT = "the rose is é,\n\n\n  a sky\r\nso blue\x0b is the end"


def reader(kind, **settings):
    nlp = language_model(kind, **settings)
    return Reader(nlp, nlp.get_pipe("lm"))


def cut(text, places):
    return [text[a:b] for a, b in pairwise([0, *sorted(places), len(text)])]


@pytest.mark.parametrize("kind", SYMBOLS)
def test_a_document_keeps_its_text(kind):
    for text in (TEXT, "", "\n", " x "):
        assert reader(kind).doc(text).text == text
    assert len(reader(kind).doc("rose rose")) == {"words": 2}.get(kind, 9)


@pytest.mark.parametrize(("text", "parts"), [("", True), ("небо небо небо небо", False)])
def test_subwords_that_know_no_latin_letters_are_not_characters(text, parts):
    nlp = spacy.blank("ru")
    builder = Subwords(size=280)
    symbols = builder.build(builder.measure([nlp.make_doc(text)]))
    one = Reader(nlp, SimpleNamespace(symbols=symbols))
    assert one.by_character == parts
    np.testing.assert_array_equal(
        *(symbols.read(doc) for doc in (one.doc(text), nlp.make_doc(text)))
    )


@given(places=st.lists(st.integers(0, len(TEXT)), max_size=5), kind=st.sampled_from([*SYMBOLS]))
@settings(deadline=None, max_examples=30)
def test_symbols_do_not_depend_on_where_blocks_end(places, kind):
    one = reader(kind)
    got = np.concatenate(list(one.symbols(cut(TEXT, places))))
    np.testing.assert_array_equal(got, one.pipe.symbols.read(one.doc(TEXT)))


@given(places=st.lists(st.integers(0, len(TEXT)), max_size=5), kind=st.sampled_from([*SYMBOLS]))
@settings(deadline=None, max_examples=10)
def test_a_text_read_from_its_end_comes_in_one_piece(places, kind):
    one = reader(kind, backward=True)
    (got,) = one.symbols(cut(TEXT, places))
    np.testing.assert_array_equal(got, one.pipe.symbols.read(one.doc(TEXT)))
    assert one.backward
    assert not reader(kind).backward


@pytest.mark.parametrize("end_symbol", [True, False])
@pytest.mark.parametrize(
    ("kind", "more"),
    [
        *((kind, {}) for kind in SYMBOLS),
        ("characters", {"adaptation": "NeuralCache"}),
        ("words", {"adaptation": "DynamicEvaluation"}),
    ],
)
def test_scores_in_pieces_are_those_of_the_component(kind, more, end_symbol):
    one = reader(kind, end_symbol=end_symbol, **more)
    symbols = one.pipe.symbols.read(one.doc(TEXT * 3))
    pieces = np.split(symbols, [0, 1, 7, 7, 20])
    got = np.concatenate(list(one.log_probabilities(pieces)))
    want = one.pipe.model.predict([one.pipe.text_of(one.doc(TEXT * 3))])[0]
    np.testing.assert_allclose(got, want, atol=1e-4)
    assert len(got) == len(symbols) + end_symbol


def test_lines_are_whole_unless_they_are_far_too_long(monkeypatch):
    monkeypatch.setattr(reading, "_LONGEST_LINE", 10)
    pieces = list(reading._whole_lines(["ab\ncd", "ef\nno end i", "n sight", "x" * 20, "y\nz"]))
    assert pieces == ["ab\n", "cdef\n", "no end in ", "sight" + "x" * 20, "y\n", "z"]
