"""A file's scores are those of the component, and need no memory for the file."""

import math

import pytest
from helpers.small_pipelines import SYMBOLS, TEXT, language_model
from spacy.training import Example

from rnnpipe.instruments.perplexity import (
    Perplexity,
    perplexity_of_documents,
    perplexity_of_text,
)
from rnnpipe.instruments.reading import Reader

LINES = ["the rose is é", "the sky", "x"]


def reader(kind="characters", end_symbol=False):
    nlp = language_model(kind, end_symbol=end_symbol)
    return Reader(nlp, nlp.get_pipe("lm"))


def scores(one, docs):
    docs = [one.pipe(doc) for doc in docs]
    return one.pipe.score([Example(doc, doc) for doc in docs])


def same(result, scored):
    assert result.cross_entropy == pytest.approx(scored["lm_nats"], rel=1e-5)
    assert result.perplexity == pytest.approx(scored["lm_perplexity"], rel=1e-5)
    assert result.bits_per_character == pytest.approx(scored["lm_bits_per_character"], rel=1e-5)
    assert result.symbols == scored["lm_symbols"]
    assert result.characters == scored["lm_characters"]


@pytest.mark.parametrize("kind", SYMBOLS)
@pytest.mark.parametrize("end_symbol", [True, False])
def test_one_document_and_many(kind, end_symbol):
    one = reader(kind, end_symbol)
    text = TEXT + "\n".join(LINES)
    result = perplexity_of_text(one, [text[:9], text[9:30], text[30:]])
    same(result, scores(one, [one.doc(text)]))
    assert result.documents == 1
    assert result.unknown == {"characters": 2, "bytes": 0, "words": 2}[kind]
    result = perplexity_of_documents(one, LINES)
    same(result, scores(one, [one.doc(line) for line in LINES]))
    assert result.documents == 3
    assert result.unknown_share == result.unknown / result.symbols


def test_a_text_is_scored_as_it_comes():
    one = reader()
    scored = []
    network = one.pipe.model.shims[0].module
    hook = network.encoder.register_forward_hook(lambda *_: scored.append(1))
    asked = []

    def blocks():
        for _ in range(20):
            asked.append(len(scored))
            yield "the rose is red. "

    try:
        perplexity_of_text(one, blocks())
    finally:
        hook.remove()
    assert asked == sorted(set(asked))  # each block is scored before the next is asked for


def test_a_hopeless_text_has_infinite_perplexity():
    hopeless = Perplexity(nats=800.0, symbols=1, characters=1)
    assert hopeless.perplexity == math.inf
    assert hopeless.as_json()["perplexity_per_symbol"] is None
