"""Characters, bytes and words: numbers for what stands in a document."""

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.contracts.types import UNKNOWN
from rnnpipe.parts.symbols.backward import Backward
from rnnpipe.parts.symbols.bytes import Bytes
from rnnpipe.parts.symbols.characters import Characters
from rnnpipe.parts.symbols.words import Words

nlp = spacy.blank("en")
TEXTS = st.text(st.sampled_from("ab é\u3000\n😀,ORTH"), max_size=20)
MAKERS = {"characters": Characters, "bytes": Bytes, "words": lambda: Words(min_count=1)}


def built(kind, *texts):
    builder = MAKERS[kind]()
    return builder.build(builder.measure(nlp.make_doc(text) for text in texts))


@pytest.mark.parametrize("kind", MAKERS)
@given(text=TEXTS)
@settings(max_examples=40, deadline=None)
def test_every_symbol_belongs_to_a_token_and_all_are_known(kind, text):
    symbols, doc = built(kind, text), nlp.make_doc(text)
    numbers, owners = symbols.read(doc), symbols.owners(doc)
    assert len(numbers) == len(owners)
    assert (numbers > UNKNOWN).all() and (numbers < len(symbols)).all()
    assert sorted(set(owners.tolist())) == list(range(len(doc)))
    assert (np.diff(owners) >= 0).all()


@pytest.mark.parametrize("kind", ["characters", "bytes"])
@given(text=TEXTS)
@settings(max_examples=40, deadline=None)
def test_what_is_read_is_written(kind, text):
    symbols = built(kind, text)
    write = symbols.writer()
    assert "".join(write(n) for n in symbols.read(nlp.make_doc(text)).tolist()) == text
    np.testing.assert_array_equal(symbols.encode(text), symbols.read(nlp.make_doc(text)))
    for i, token in enumerate(nlp.make_doc(text)):
        write = symbols.writer()
        own = symbols.read(nlp.make_doc(text))[symbols.owners(nlp.make_doc(text)) == i]
        assert "".join(write(n) for n in own.tolist()) == token.text_with_ws


def test_words_are_written_with_spaces_except_at_line_breaks():
    symbols = built("words", "to be\nor not")
    write = symbols.writer()
    assert "".join(write(n) for n in symbols.encode("to be\nor").tolist()) == "to be\nor"
    assert "".join(write(n) for n in symbols.encode("not to").tolist()) == " not to"


def test_the_most_frequent_come_first_and_rare_ones_are_unknown():
    builder = Characters(min_count=2)
    facts = builder.measure([nlp.make_doc("abbccc"), nlp.make_doc("cbd")])
    assert facts == {"characters": ["c", "b"]}
    symbols = builder.build(facts)
    assert symbols.encode("cbad").tolist() == [2, 3, UNKNOWN, UNKNOWN]
    assert symbols.unknown("cbad") == ["a", "d"]
    words = Words()
    assert words.measure([nlp.make_doc("a b a ORTH ORTH")]) == {"words": ["ORTH", "a"]}
    assert words.build({"words": ["ORTH", "a"]}).unknown("a new ORTH") == ["new"]


@pytest.mark.parametrize("kind", MAKERS)
def test_backward_is_the_same_from_the_end(kind):
    text, doc = "né à\n😀 b", nlp.make_doc("né à\n😀 b")
    builder = Backward(MAKERS[kind]())
    facts = builder.measure([nlp.make_doc("né à\n😀")])
    back, ahead = builder.build(facts), MAKERS[kind]().build(facts)
    assert len(back) == len(ahead)
    for name in ("read", "owners", "pieces"):
        assert list(getattr(back, name)(doc)) == list(getattr(ahead, name)(doc))[::-1]
    assert back.encode(text).tolist() == ahead.encode(text).tolist()[::-1]
    assert back.unknown(text) == ahead.unknown(text)[::-1]
    number = int(back.read(doc)[0])
    assert back.writer()(number) == ahead.writer()(number)


def test_backward_reads_characters_by_default():
    facts = Backward().measure([nlp.make_doc("aab")])
    assert Backward().build(facts).encode("abc").tolist() == [UNKNOWN, 3, 2]


def test_nothing_known_at_all():
    symbols = Characters().build({"characters": []})
    assert symbols.encode("ab").tolist() == [UNKNOWN, UNKNOWN]
    assert len(symbols.read(nlp.make_doc(""))) == 0


def test_bytes_that_are_not_utf8():
    write = built("bytes").writer()
    assert [write(0xE2 + 2), write(0x82 + 2), write(0xAC + 2)] == ["", "", "€"]
    assert write(0xFF + 2) == "\ufffd"
    assert write(UNKNOWN) == ""
