"""What is particular to the tagger: its attributes."""

import pytest
import spacy
from helpers.handful import SENTENCES, fresh_docs, model_config, train
from spacy.tokens import Doc, Token
from spacy.training import Example


@pytest.fixture(params=["tag", "pos", "morph", "_.kind"])
def attribute(request):
    if not Token.has_extension("kind"):
        Token.set_extension("kind", default=None)
    yield request.param
    Token.remove_extension("kind")


def annotated(nlp):
    examples = []
    for words, tags in SENTENCES:
        cases = ["Number=Plur" if tag == "PRON" else "" for tag in tags]
        reference = Doc(nlp.vocab, words=words, tags=tags, morphs=cases, pos=["NOUN"] * len(words))
        for token, tag in zip(reference, tags, strict=True):
            token._.kind = tag
        examples.append(Example(Doc(nlp.vocab, words=words), reference))
    return examples


def test_every_attribute_is_learnt_written_and_scored(attribute):
    nlp = spacy.blank("en")
    config = {"model": model_config("rnn_tagger"), "attribute": attribute}
    nlp.add_pipe("rnn_tagger", config=config)
    optimizer = nlp.initialize(lambda: annotated(nlp))
    optimizer.learn_rate = 0.02
    for _ in range(30):
        nlp.update(annotated(nlp), sgd=optimizer)
    assert nlp.evaluate(annotated(nlp))[f"{attribute.removeprefix('_.')}_acc"] == 1.0
    doc = next(nlp.pipe(fresh_docs(nlp)))
    if attribute == "_.kind":
        assert [token._.kind for token in doc] == SENTENCES[0][1]
    else:
        assert doc.has_annotation(attribute.upper())


def test_the_pipelines_score_rises_with_whichever_attribute_is_learnt():
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_tagger", config={"model": model_config("rnn_tagger"), "attribute": "pos"})
    weights = nlp.config["training"]["score_weights"]
    assert weights["pos_acc"] > 0 and weights["tag_acc"] == weights["morph_acc"]


def test_what_is_set_stays_unless_it_may_be_overwritten():
    nlp = spacy.blank("en")
    config = {"model": model_config("rnn_tagger"), "overwrite": False}
    nlp.add_pipe("rnn_tagger", config=config)
    train(nlp)
    doc = fresh_docs(nlp)[0]
    doc[0].tag_ = "MINE"
    assert [token.tag_ for token in nlp(doc)] == ["MINE", *SENTENCES[0][1][1:]]
