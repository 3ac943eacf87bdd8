"""What every registered function of symbols promises."""

import copy
import json
import pickle
import unicodedata

import numpy as np
import pytest
import spacy
from helpers.building import build
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.contracts.types import BOUNDARY, UNKNOWN, Symbols, SymbolsBuilder

nlp = spacy.blank("en")
TEXTS = st.text(st.sampled_from("ab é\u3000\n😀,'_ORTH"), max_size=20)
# Parted by spaces, since tokens of a text given as a string may be.
CORPUS = ["to be , or not to be", "né à la mer 😀", "", "that  is the\nquestion"]


def builder(name):
    return build("symbols", name)


def facts(name, texts=CORPUS):
    return builder(name).measure(nlp.make_doc(text) for text in texts)


@pytest.fixture
def symbols(symbols_name):
    assert isinstance(builder(symbols_name), SymbolsBuilder)
    symbols: Symbols = builder(symbols_name).build(facts(symbols_name))
    return symbols


def test_every_symbol_has_a_number_and_belongs_to_a_token(symbols):
    @settings(max_examples=30, deadline=None)
    @given(TEXTS)
    def check(text):
        doc = nlp.make_doc(text)
        numbers, owners = symbols.read(doc), symbols.owners(doc)
        assert numbers.dtype == owners.dtype == np.int64
        assert numbers.shape == owners.shape == (len(symbols.pieces(doc)),)
        assert ((numbers >= UNKNOWN) & (numbers < len(symbols))).all()
        turns = np.diff(owners)  # a document is read in one direction or in the other
        assert (turns >= 0).all() or (turns <= 0).all()
        assert ((owners >= 0) & (owners < max(1, len(doc)))).all()

    check()


def test_numbers_are_the_same_however_a_document_is_given(symbols):
    for text in CORPUS:
        whole, again = nlp.make_doc(text), spacy.blank("en").make_doc(text)
        np.testing.assert_array_equal(symbols.read(whole), symbols.read(again))


def test_what_was_seen_is_known_and_the_rest_is_named(symbols):
    for text in CORPUS:
        assert UNKNOWN not in symbols.encode(text)
        assert symbols.unknown(text) == []
    unseen = "zzz ф"
    assert len(symbols.unknown(unseen)) == int((symbols.encode(unseen) == UNKNOWN).sum())


def test_what_is_encoded_is_written(symbols):
    """Up to white space, which words do not model, composed or decomposed, and in the direction in
    which it is read."""
    for text in CORPUS:
        write = symbols.writer()
        written = "".join(write(number) for number in symbols.encode(text).tolist())
        written = unicodedata.normalize("NFC", written)
        assert text.split() in (written.split(), written[::-1].split())
    assert symbols.writer()(BOUNDARY) == ""


def test_facts_are_json_and_the_same_at_every_time(symbols_name, symbols):
    first = facts(symbols_name)
    assert json.loads(json.dumps(first)) == first == facts(symbols_name)
    again = builder(symbols_name).build(json.loads(json.dumps(first)))
    assert len(again) == len(symbols)
    for text in CORPUS:
        np.testing.assert_array_equal(again.encode(text), symbols.encode(text))


def test_frequent_symbols_come_first(symbols_name):
    counted = builder(symbols_name).build(facts(symbols_name, ["a b a", "c a b b a"]))
    numbers = [int(counted.encode(letter)[0]) for letter in "abc"]
    if len(counted) != 258:  # bytes have numbers of their own
        assert numbers == sorted(numbers)


def test_no_text_at_all(symbols_name):
    symbols = builder(symbols_name).build(facts(symbols_name, []))
    assert len(symbols) >= 2
    assert len(symbols.read(nlp.make_doc(""))) == len(symbols.owners(nlp.make_doc(""))) == 0
    assert len(symbols.encode("a")) == 1


def test_copies_and_pickles_read_alike(symbols_name, symbols):
    doc = nlp.make_doc(CORPUS[0])
    for other in (copy.deepcopy(symbols), pickle.loads(pickle.dumps(symbols))):
        np.testing.assert_array_equal(other.read(doc), symbols.read(doc))
    other = pickle.loads(pickle.dumps(builder(symbols_name))).build(facts(symbols_name))
    np.testing.assert_array_equal(other.read(doc), symbols.read(doc))
