"""The symbols against what they are, by hand."""

import spacy
from rnnpipe_acme.lowercase import Lowercase

nlp = spacy.blank("en")


def test_symbols_are_numbered_by_how_often_they_occur():
    builder = Lowercase(min_count=2)
    facts = builder.measure([nlp("Bob ran"), nlp("b R")])
    assert facts == {"characters": ["b", " ", "r"]}
    symbols = builder.build(facts)
    assert len(symbols) == 5
    assert symbols.encode("B? r").tolist() == [2, 1, 3, 4]
    assert symbols.unknown("B? x") == ["?", "x"]
