"""Error rates against plain recursion, BLEU and chrF against sacrebleu."""

import sys
from functools import cache

import pytest
import sacrebleu
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example

from rnnpipe.errors import SettingsError
from rnnpipe.training.scorers.sequence_scorer import (
    edit_distance,
    sequence_scorer,
    translation_scorer,
)

nlp = spacy.blank("en")
SYMBOLS = st.lists(st.sampled_from("abc"), max_size=5)


@pytest.fixture(autouse=True, scope="module")
def extension():
    if not Doc.has_extension("translation"):
        Doc.set_extension("translation", default=None)


def example(text, right):
    eg = Example(nlp.make_doc("x"), nlp.make_doc("x"))
    eg.predicted._.translation, eg.reference._.translation = text, right
    return eg


@given(SYMBOLS, SYMBOLS)
def test_edit_distance(one, other):
    @cache
    def plain(i, j):
        if not i or not j:
            return i + j
        substituted = plain(i - 1, j - 1) + (one[i - 1] != other[j - 1])
        return min(substituted, plain(i - 1, j) + 1, plain(i, j - 1) + 1)

    assert edit_distance(one, other) == plain(len(one), len(other))


def test_error_rates():
    pairs = [("a b c", "a b c"), ("a c", "a b c"), ("", "a"), ("a  b", "a b")]
    scores = sequence_scorer()([*(example(*pair) for pair in pairs), example("a", None)])
    assert scores == {
        "sequence_accuracy": 0.5,
        "sequence_error_rate": 0.5,
        "symbol_accuracy": 1 - 2 / 9,
        "symbol_error_rate": 2 / 9,
    }
    scores = sequence_scorer()([example("a b c d", "x")])
    assert (scores["symbol_error_rate"], scores["symbol_accuracy"]) == (4.0, 0.0)


def test_nothing_to_score():
    assert set(sequence_scorer()([example("a", None)]).values()) == {None}
    assert set(translation_scorer()([]).values()) == {None}


def test_bleu_and_chrf_are_those_of_the_corpus():
    texts = ["the cat sat on the mat", "a dog barks .", None]
    right = ["the cat sat on a mat", "a dog barks at me .", "hello"]
    scores = translation_scorer()(map(example, texts, right))
    written = [text or "" for text in texts]
    bleu, chrf = sacrebleu.corpus_bleu(written, [right]), sacrebleu.corpus_chrf(written, [right])
    assert scores["bleu"] == pytest.approx(bleu.score / 100)
    assert scores["chrf"] == pytest.approx(chrf.score / 100)
    assert 0 < scores["bleu"] < scores["chrf"] < 1


def test_another_attribute():
    if not Doc.has_extension("sound"):
        Doc.set_extension("sound", default=None)
    eg = example("wrong", "right")
    eg.predicted._.sound = eg.reference._.sound = "a b"
    assert sequence_scorer()([eg], attribute="sound")["sequence_accuracy"] == 1.0


def test_sacrebleu_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    text = r"expected the package sacrebleu, got no such package. Install rnnpipe\[translation\]"
    with pytest.raises(SettingsError, match=text):
        translation_scorer()([])
