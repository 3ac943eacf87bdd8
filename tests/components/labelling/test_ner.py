"""What entity recognition reads from gold documents and writes on predicted ones."""

import pytest
from helpers.handful import pipeline, train
from spacy.tokens import Doc, Span
from spacy.training import Example


@pytest.fixture(scope="module")
def nlp():
    nlp = pipeline("rnn_ner")
    train(nlp)
    return nlp


WORDS = ["I", "like", "London", "and", "Berlin", "."]


def described(doc):
    return [(ent.text, ent.label_, ent._.probability is not None) for ent in doc.ents]


def test_an_earlier_entity_is_kept_and_gets_no_probability_of_another(nlp):
    doc = Doc(nlp.vocab, words=WORDS)
    doc.ents = [Span(doc, 2, 3, label="SHIP")]
    doc = nlp.get_pipe("rnn_ner")(doc)
    assert described(doc) == [("London", "SHIP", False), ("Berlin", "GPE", True)]


def test_blocked_tokens_stay_without_an_entity(nlp):
    doc = Doc(nlp.vocab, words=WORDS)
    doc.set_ents([], blocked=[doc[2:3]], default="unmodified")
    doc = nlp.get_pipe("rnn_ner")(doc)
    assert described(doc) == [("Berlin", "GPE", True)]
    assert [token.ent_iob for token in doc] == [2, 2, 3, 2, 3, 2]


def gold_tags(nlp, reference):
    pipe = nlp.get_pipe("rnn_ner")
    names = [*pipe.output_labels().names, "-"]
    predicted = Doc(nlp.vocab, words=[token.text for token in reference])
    return [names[i] for i in pipe.gold(Example(predicted, reference))]


def test_blocked_tokens_are_outside_in_gold_documents(nlp):
    doc = Doc(nlp.vocab, words=["in", "Big", "Rapids", "?"])
    doc.set_ents([Span(doc, 1, 3, label="GPE")], blocked=[doc[0:1]], missing=[doc[3:4]])
    assert gold_tags(nlp, doc) == ["O", "B-GPE", "E-GPE", "-"]


def test_an_entity_without_a_beginning_is_refused(nlp):
    doc = Doc(nlp.vocab, words=["New", "York"], ents=["I-GPE", "I-GPE"])
    with pytest.raises(ValueError, match=r"E093.*I without B\s+New\|I York\|I"):
        gold_tags(nlp, doc)
