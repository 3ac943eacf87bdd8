"""What people get wrong, and what they are told."""

import json

import numpy as np
import pytest
import spacy
from confection import ConfigValidationError
from helpers.handful import FACTORIES, examples_for, fresh_docs, model_config, pipeline, train
from spacy.tokens import Doc, Span, Token
from spacy.training import Example

from rnnpipe.errors import LabelError, RnnpipeError, SettingsError, StructureError, WeightsError


def with_annotation(nlp, tag="NEW", label="NEW"):
    doc = Doc(nlp.vocab, words=["Hi", "Bo"], tags=[tag, tag])
    doc.ents = [Span(doc, 1, 2, label=label)]
    doc.spans["constituents"] = [Span(doc, 0, 2, label=label)]
    doc.cats = {label: 1.0}
    return Example(Doc(nlp.vocab, words=["Hi", "Bo"]), doc)


@pytest.mark.parametrize("factory", FACTORIES)
def test_an_empty_corpus(factory):
    nlp = pipeline(factory)
    pipe = nlp.get_pipe(factory)
    text = (
        f"components.{factory}: expected training examples, got none. Check that "
        r"\[corpora.train\] points to a file with documents in it."
    )
    with pytest.raises(LabelError, match=text):
        pipe.initialize(list, nlp=nlp)


@pytest.mark.parametrize(
    ("factory", "annotation"),
    [
        ("rnn_tagger", "token.tag"),
        ("rnn_ner", "doc.ents"),
        ("rnn_textcat", "doc.cats"),
        ("rnn_treeparser", r"constituents in doc.spans\['constituents'\]"),
    ],
)
def test_a_corpus_without_annotation(factory, annotation):
    nlp = pipeline(factory)
    blank = [Example(doc, doc.copy()) for doc in fresh_docs(nlp)]
    text = f"{factory}: expected training examples with {annotation}, got 4 examples without"
    with pytest.raises(LabelError, match=text):
        nlp.initialize(lambda: blank)


@pytest.mark.parametrize(
    ("factory", "score", "value"),
    [
        ("rnn_tagger", "tag_acc", 18 / 20),
        ("rnn_ner", "ents_r", 4 / 5),
        ("rnn_textcat", None, None),
        ("rnn_treeparser", None, None),
    ],
)
def test_a_label_seen_only_in_dev_counts_as_an_error_and_nothing_breaks(factory, score, value):
    nlp = pipeline(factory)
    train(nlp)
    scores = nlp.evaluate([with_annotation(nlp), *examples_for(nlp)])
    if score is not None:
        assert scores[score] == pytest.approx(value)
    assert "NEW" not in nlp.get_pipe(factory).labels


@pytest.mark.parametrize("factory", FACTORIES)
def test_an_unknown_label_in_training(factory):
    nlp = pipeline(factory)
    optimizer, _ = train(nlp, steps=1)
    with pytest.raises(LabelError, match=f"components.{factory}: expected one of the .* got 'NEW'"):
        nlp.update([with_annotation(nlp)], sgd=optimizer)


def test_a_vocabulary_learnt_from_no_examples():
    words = {"@rnnpipe_embeddings": "rnnpipe.Words.v1"}
    nlp = pipeline("rnn_ner", embedding=words)
    nlp.get_pipe("rnn_ner").add_label("GPE")
    with pytest.warns(
        UserWarning, match=r"takes its words and characters from them. Call nlp.initi"
    ):
        nlp.initialize()
    nlp = pipeline("rnn_ner")  # hashed words need no vocabulary
    nlp.get_pipe("rnn_ner").add_label("GPE")
    nlp.initialize()


def test_extension_values_that_are_not_text():
    Token.set_extension("flag", default=None, force=True)
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_tagger", config={"model": model_config("rnn_tagger"), "attribute": "_.flag"})
    examples = examples_for(nlp)
    for token in examples[0].reference:
        token._.flag = True
    text = r"components.rnn_tagger: expected text in token._.flag, got True. Use strings for labe"
    with pytest.raises(LabelError, match=text):
        nlp.initialize(lambda: examples)


@pytest.mark.parametrize("n_labels", [2, 3])
def test_a_positive_label_is_one_of_two(n_labels):
    nlp = pipeline("rnn_textcat")
    pipe = nlp.get_pipe("rnn_textcat")
    labels = ["dull", "travel", "other"][:n_labels]
    text = {2: "expected positive_label to be one of", 3: "expected no positive_label with 3"}
    with pytest.raises(LabelError, match=text[n_labels]):
        pipe.initialize(
            lambda: examples_for(nlp),
            labels=labels,
            positive_label="blue" if n_labels == 2 else "dull",
        )


def test_several_categories_at_once_have_no_positive_label():
    nlp = pipeline("rnn_textcat_multilabel")
    nlp.config["initialize"]["components"] = {"rnn_textcat_multilabel": {"positive_label": "dull"}}
    with pytest.raises(ConfigValidationError, match="positive_label"):
        nlp.initialize(lambda: examples_for(nlp))


@pytest.mark.parametrize(
    ("factory", "decoder", "text"),
    [
        ("rnn_tagger", "Sigmoid", "expected a decoder that labels nodes, got Sigmoid"),
        ("rnn_ner", "Sigmoid", "expected a decoder that labels nodes, got Sigmoid"),
        ("rnn_textcat", "CRF", "expected a decoder that labels documents, got CRFDec"),
        ("rnn_treeparser", "Softmax", "expected a decoder that builds trees, got SoftmaxDecoder"),
        (
            "rnn_textcat",
            "Sigmoid",
            "expected a decoder for labels that exclude each other, got Sigmoid",
        ),
        ("rnn_textcat_multilabel", "Softmax", "expected a decoder for independent labels"),
    ],
)
def test_a_decoder_that_does_not_fit_the_component(factory, decoder, text):
    nlp = pipeline(factory, decoder={"@rnnpipe_decoders": f"rnnpipe.{decoder}.v1"})
    with pytest.raises(StructureError, match=f"components.{factory}.model.decoder: {text}"):
        nlp.initialize(lambda: examples_for(nlp))


def test_two_categories_at_once():
    nlp = pipeline("rnn_textcat")
    optimizer, _ = train(nlp, steps=1)
    example = examples_for(nlp)[0]
    example.reference.cats = {"travel": 1.0, "dull": 1.0}
    with pytest.raises(
        LabelError, match=r"at most one category with 1.0 .* rnn_textcat_multilabel"
    ):
        nlp.update([example], sgd=optimizer)


def test_a_single_category():
    nlp = pipeline("rnn_textcat")
    examples = examples_for(nlp)
    for example in examples:
        example.reference.cats = {"travel": 1.0}
    with pytest.raises(LabelError, match="two or more categories that exclude each other"):
        nlp.initialize(lambda: examples)


def test_a_pooler_where_tokens_are_labelled():
    config = model_config("rnn_ner", pooler={"@rnnpipe_poolers": "rnnpipe.Max.v1"})
    with pytest.raises(StructureError, match="components.rnn_ner.model.pooler: expected no pooler"):
        spacy.blank("en").add_pipe("rnn_ner", config={"model": config})


def test_no_pooler_where_documents_are_labelled():
    config = {**model_config("rnn_textcat"), "pooler": None}
    with pytest.raises(StructureError, match="components.cat.model.pooler: expected a pooler"):
        spacy.blank("en").add_pipe("rnn_textcat", name="cat", config={"model": config})


@pytest.mark.parametrize(
    ("factory", "settings", "text"),
    [
        ("rnn_tagger", {"attribute": "lemma"}, "components.rnn_tagger.attribute: expected one of"),
        ("rnn_ner", {"scheme": "BIEOS"}, "components.rnn_ner.scheme: .* 'BIOES'"),
        ("rnn_ner", {"n_best": -1}, "components.rnn_ner.n_best"),
    ],
)
def test_settings_of_components(factory, settings, text):
    with pytest.raises(SettingsError, match=text):
        spacy.blank("en").add_pipe(factory, config={"model": model_config(factory), **settings})


def test_windows_that_do_not_move_on():
    with pytest.raises(
        SettingsError, match=r"model.overlap: expected fewer tokens than max_length"
    ):
        pipeline("rnn_ner", max_length=10, overlap=10)


def test_an_extension_that_is_not_registered():
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_tagger", config={"model": model_config("rnn_tagger"), "attribute": "_.no"})
    with pytest.raises(SettingsError, match=r"Token.set_extension\('no', default=None\)"):
        nlp.initialize(lambda: examples_for(nlp))


def test_nan_in_word_vectors():
    nlp = spacy.blank("en")
    for word in ("London", "Rain"):
        nlp.vocab.set_vector(word, np.array([1.0, np.nan if word == "Rain" else 0.0], dtype="f"))
    embedding = {"@rnnpipe_embeddings": "rnnpipe.Vectors.v1"}
    nlp.add_pipe("rnn_ner", config={"model": model_config("rnn_ner", embedding=embedding)})
    with pytest.raises(RnnpipeError, match="'Rain'"):
        nlp.initialize(lambda: examples_for(nlp))


def test_a_document_of_fifty_thousand_tokens():
    nlp = pipeline("rnn_ner")
    optimizer, _ = train(nlp, steps=1)
    words = [word for doc in fresh_docs(nlp) for word in [t.text for t in doc]]
    words = (words * (50_000 // len(words) + 1))[:50_000]
    nlp.max_length = 10**6
    assert len(nlp(Doc(nlp.vocab, words=words))) == 50_000
    gold = Doc(nlp.vocab, words=words)
    gold.ents = [Span(gold, 2, 3, label="GPE")]
    assert nlp.update([Example(Doc(nlp.vocab, words=words), gold)], sgd=optimizer)["rnn_ner"] > 0


@pytest.fixture
def saved(tmp_path):
    nlp = pipeline("rnn_ner")
    train(nlp, steps=2)
    nlp.to_disk(tmp_path / "model")
    return tmp_path / "model"


def test_truncated_weights(saved):
    weights = saved / "rnn_ner" / "model"
    weights.write_bytes(weights.read_bytes()[:-1000])
    text = "components.rnn_ner: expected the complete saved component, got .* copy it again"
    with pytest.raises(WeightsError, match=text):
        spacy.load(saved)


def test_altered_weights(saved):
    weights = saved / "rnn_ner" / "model"
    content = bytearray(weights.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4] = b"\x00\x01\x02\x03"
    weights.write_bytes(bytes(content))
    with pytest.raises(WeightsError, match="weights: expected"):
        spacy.load(saved)


def test_labels_that_are_not_those_of_the_weights(saved):
    cfg = saved / "rnn_ner" / "cfg"
    settings = json.loads(cfg.read_text())
    cfg.write_text(json.dumps({**settings, "labels": ["GPE"]}))
    with pytest.raises(WeightsError, match=r"expected weights for the labels .*'S-GPE'\], got"):
        spacy.load(saved)


def test_weights_that_are_missing(saved):
    (saved / "rnn_ner" / "model").unlink()
    text = "components.rnn_ner: expected the complete saved .* FileNotFoundError: .* copy it again"
    with pytest.raises(WeightsError, match=text):
        spacy.load(saved)
