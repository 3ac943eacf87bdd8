"""What every kind of symbols promises."""

import pickle

import pytest
import spacy
from rnnpipe_acme.lowercase import Lowercase

nlp = spacy.blank("en")
TEXTS = ["", "Bob  ran.", "A\u0130\u00df \U0001f600\n"]


@pytest.fixture(scope="module")
def symbols():
    builder = Lowercase()
    facts = builder.measure(map(nlp, TEXTS))
    assert pickle.loads(pickle.dumps(builder)).measure(map(nlp, TEXTS)) == facts
    return builder.build(facts)


@pytest.mark.parametrize("text", TEXTS)
def test_each_symbol_has_a_token_and_a_piece_of_the_text(symbols, text):
    doc = nlp(text)
    owners = symbols.owners(doc).tolist()
    assert len(symbols.read(doc)) == len(owners) == len(symbols.pieces(doc))
    assert owners == sorted(owners)
    assert set(owners) == set(range(len(doc)))
    assert "".join(symbols.pieces(doc)) == text


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_written_reads_the_same(symbols, text):
    read = symbols.read(nlp(text)).tolist()
    written = "".join(map(symbols.writer(), read))
    assert symbols.encode(written).tolist() == read
    assert symbols.unknown(text) == []
