"""Components sourced from another pipeline keep its vocabulary, and meet documents of a new one."""

import numpy as np
import pytest
import spacy
from helpers.handful import FACTORIES, SENTENCES, annotations, pipeline, predicted, train
from spacy.tokens import Doc, Span
from spacy.training import Example

from rnnpipe.errors import LabelError


def sourced(factory, source):
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, source=source)
    return nlp


@pytest.mark.parametrize("factory", FACTORIES)
def test_a_sourced_component_answers_as_before(factory):
    source = pipeline(factory)
    train(source)
    assert predicted(factory, sourced(factory, source)) == predicted(factory, source)


@pytest.mark.parametrize("factory", FACTORIES)
def test_a_sourced_component_learns_labels_of_the_new_pipeline(factory):
    nlp = sourced(factory, pipeline(factory))
    train(nlp)
    words, tags = SENTENCES[0]
    answer = annotations(factory, nlp(Doc(nlp.vocab, words=words)))
    assert (answer == tags) if factory == "rnn_tagger" else answer


@pytest.mark.parametrize("factory", FACTORIES)
def test_an_unknown_label_of_the_new_pipeline(factory):
    source = pipeline(factory)
    train(source, steps=1)
    nlp = sourced(factory, source)
    words = ["Bo", "ran"]
    doc = Doc(nlp.vocab, words=words, tags=["UNHEARD", "UNHEARD"])
    doc.ents = [Span(doc, 0, 1, label="UNHEARD")]
    doc.cats = {"UNHEARD": 1.0}
    doc.spans["constituents"] = [Span(doc, 0, 2, label="UNHEARD")]
    with pytest.raises(LabelError, match="got 'UNHEARD' in a training example"):
        nlp.update([Example(Doc(nlp.vocab, words=words), doc)])


def test_a_tag_that_the_document_has_not_heard_of():
    source = pipeline("rnn_tagger")
    train(source, steps=1)
    nlp = sourced("rnn_tagger", source)
    tagger = nlp.get_pipe("rnn_tagger")
    tagger.add_label("ADDED")
    doc = Doc(nlp.vocab, words=["Bo"])
    tagger.set_annotations([doc], [np.array([tagger.labels.index("ADDED")])])
    assert doc[0].tag_ == "ADDED"
