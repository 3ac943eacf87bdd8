"""Words with the space before them, and characters in their parts."""

import numpy as np
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.contracts.types import UNKNOWN
from rnnpipe.parts.symbols.decomposed import DecomposedCharacters
from rnnpipe.parts.symbols.spaced_words import SpacedWords

nlp = spacy.blank("en")
TEXTS = st.text(st.sampled_from("ab é각\u3000\n😀,.'"), max_size=20)


def built(builder, *texts):
    return builder.build(builder.measure(nlp.make_doc(text) for text in texts))


def written(symbols, numbers):
    write = symbols.writer()
    return "".join(write(number) for number in numbers.tolist())


@given(text=TEXTS)
@settings(max_examples=60, deadline=None)
def test_spaced_words_are_written_as_they_were_read(text):
    symbols, doc = built(SpacedWords(min_count=1), text), nlp.make_doc(text)
    numbers = symbols.read(doc)
    assert written(symbols, numbers) == text
    assert (numbers > UNKNOWN).all()
    np.testing.assert_array_equal(symbols.encode(text), numbers)
    pieces = symbols.pieces(doc)
    assert "".join(pieces) == (" " + text if text else "")
    owners = symbols.owners(doc)
    assert len(owners) == len(numbers) == len(pieces)
    for piece, owner in zip(pieces, owners.tolist(), strict=True):
        assert piece == " " or piece.strip(" ")[-1] in doc[owner].text_with_ws


def test_spaced_words_of_a_sentence():
    symbols = built(SpacedWords(min_count=1), "I don't go!")
    doc = nlp.make_doc("I don't go!")
    assert symbols.pieces(doc) == [" I", " don", "'", "t", " go", "!"]
    assert [doc[i].text for i in symbols.owners(doc)] == ["I", "n't", "n't", "n't", "go", "!"]
    assert symbols.unknown("I stay!") == [" stay"]
    assert written(symbols, symbols.encode("I stay!")) == "I \ufffd!"
    assert written(symbols, symbols.encode("Stay!")) == "\ufffd!"


def test_rare_spaced_words_are_unknown():
    builder = SpacedWords()
    assert builder.measure([nlp.make_doc("a b, a"), nlp.make_doc("")]) == {"spaced_words": [" a"]}


@given(text=TEXTS)
@settings(max_examples=60, deadline=None)
def test_characters_in_their_parts(text):
    symbols, doc = built(DecomposedCharacters(), text), nlp.make_doc(text)
    parts = text.replace("é", "e\u0301").replace("각", "\u1100\u1161\u11a8")
    assert symbols.pieces(doc) == list(parts)
    assert written(symbols, symbols.read(doc)) == parts
    owned = ["" for _ in doc]
    for piece, owner in zip(symbols.pieces(doc), symbols.owners(doc).tolist(), strict=True):
        owned[owner] += piece
    assert "".join(owned) == parts
    assert len(owned) == len(doc)
    assert symbols.unknown(text + "x") == ["x"]


def test_accents_stay_in_their_order():
    symbols = built(DecomposedCharacters(), "a\u0323\u0301 ạ\u0301")  # NFD would sort them
    assert symbols.pieces(nlp.make_doc("a\u0301\u0323")) == ["a", "\u0301", "\u0323"]
