"""What a shared tok2vec learns, and components exactly where their limits are."""

import numpy as np
import pytest
import spacy
from helpers.handful import model_config, pipeline, train
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.tokens import Doc
from spacy.training import Example

from rnnpipe.errors import LabelError, SettingsError

WIDTH = 4
TAGS = "ABC"
#: In no order, so that no way of sorting documents leaves them where they are; one is empty, and
#: one longer than a window.
LENGTHS = [2, 5, 0, 1, 3, 13, 4]


class Shared:
    """A component that reads another's vectors, fed and asked for gradients by hand."""

    def __init__(self, factory, **settings):
        listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH, "upstream": "*"}
        embedding = {"@rnnpipe_embeddings": "rnnpipe.Tok2Vec.v1", "tok2vec": listener}
        nlp = spacy.blank("en")
        config = model_config(factory, embedding=embedding, **settings)
        self.pipe = nlp.add_pipe(factory, config={"model": config})
        random = np.random.default_rng(0)
        self.examples = []
        for number, n in enumerate(LENGTHS):
            words = [f"w{number}"] * n
            tags = random.choice([*TAGS], n).tolist()
            cats = {"even": float(number % 2 == 0), "odd": float(number % 2)}
            reference = Doc(nlp.vocab, words=words, tags=tags)
            reference.cats = cats
            self.examples.append(Example(Doc(nlp.vocab, words=words), reference))
        spacy.util.fix_random_seed(0)
        self.pipe.initialize(lambda: self.examples, nlp=nlp)
        (self.listener,) = (
            node for node in self.pipe.model.walk() if isinstance(node, Tok2VecListener)
        )
        self.vectors = [random.standard_normal((n, WIDTH), dtype=np.float32) for n in LENGTHS]

    def learned(self, vectors):
        """The loss, and the gradients that reach the layer that made the vectors."""
        found = []
        docs = [eg.predicted for eg in self.examples]
        self.listener.receive(Tok2VecListener.get_batch_id(docs), vectors, found.append)
        loss = self.pipe.update(self.examples)[self.pipe.name]
        (gradients,) = found
        return loss, gradients

    def slope(self, document, direction, step=2e-2):
        """How the loss grows with the vectors of one document, by a central difference."""
        losses = []
        for sign in (1, -1):
            moved = [v.copy() for v in self.vectors]
            moved[document] += sign * step * direction
            losses.append(self.learned(moved)[0])
        return (losses[0] - losses[1]) / (2 * step)


@pytest.mark.parametrize(
    ("factory", "n_known"), [("rnn_tagger", sum(LENGTHS)), ("rnn_textcat", len(LENGTHS))]
)
@pytest.mark.parametrize("max_padded_tokens", [8192, 12])
def test_a_shared_tok2vec_is_told_of_each_token_what_it_did(factory, n_known, max_padded_tokens):
    """The gradient of the mean loss, token by token, by finite differences."""
    settings = {"max_length": 8, "overlap": 2, "max_padded_tokens": max_padded_tokens}
    shared = Shared(factory, **settings)
    _, gradients = shared.learned(shared.vectors)
    assert [g.shape for g in gradients] == [(n, WIDTH) for n in LENGTHS]
    random = np.random.default_rng(1)
    for number, gradient in enumerate(gradients):
        for token in range(len(gradient)):
            direction = np.zeros_like(gradient)
            direction[token] = random.standard_normal(WIDTH)
            want = shared.slope(number, direction) / n_known
            assert (gradient * direction).sum() == pytest.approx(want, abs=5e-4, rel=2e-2)
    # Rows that are exchanged would not have passed for each other.
    rows = np.concatenate(gradients)
    apart = np.abs(rows[:, None] - rows).max(2) + np.eye(len(rows))
    assert np.median(apart.min(1)) > 1e-3


@pytest.mark.parametrize(
    ("threshold", "precision", "recall"),
    [(0.5, 0.5, 1.0), (0.5 + 1e-9, 1.0, 1.0), (0.75, 1.0, 1.0), (0.75 + 1e-9, 0.0, 0.0)],
)
def test_a_category_counts_from_its_threshold_on(threshold, precision, recall):
    nlp = spacy.blank("en")
    config = {"model": model_config("rnn_textcat_multilabel"), "threshold": threshold}
    pipe = nlp.add_pipe("rnn_textcat_multilabel", config=config)
    pipe.add_label("x")
    examples = []
    for truth, found in ((1.0, 0.75), (0.0, 0.5), (0.0, 0.25)):
        reference, predicted = nlp.make_doc("a"), nlp.make_doc("a")
        reference.cats, predicted.cats = {"x": truth}, {"x": found}
        examples.append(Example(predicted, reference))
    scores = pipe.score(examples)
    assert (scores["cats_micro_p"], scores["cats_micro_r"]) == (precision, recall)


@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_truths_of_zero_and_one(truth):
    nlp = pipeline("rnn_textcat_multilabel")
    train(nlp, steps=0)
    doc = nlp.make_doc("a")
    doc.cats = {"dull": truth}
    assert nlp.update([Example(nlp.make_doc("a"), doc)])["rnn_textcat_multilabel"] > 0
    doc.cats = {"dull": truth * 2 - 0.5}
    with pytest.raises(LabelError, match=r"expected category values from 0.0 to 1.0"):
        nlp.update([Example(nlp.make_doc("a"), doc)])


def test_windows_overlap_by_all_but_one_token():
    pipeline("rnn_tagger", max_length=5, overlap=4)
    with pytest.raises(SettingsError, match=r"expected fewer tokens than max_length \(5\), got 5"):
        pipeline("rnn_tagger", max_length=5, overlap=5)


@pytest.mark.parametrize("n_best", [1, 3, 4])
def test_readings_are_as_many_as_there_are(n_best):
    """Of one token, which is of one of two types or of none."""
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_ner", config={"model": model_config("rnn_ner"), "n_best": n_best})
    train(nlp, steps=1)
    readings = nlp("Paris")._.entity_readings
    assert len(readings) == min(n_best, 3)
    if n_best >= 3:
        assert sum(reading["probability"] for reading in readings) == pytest.approx(1.0, abs=1e-5)


def test_no_readings_are_the_least_that_can_be_asked_for():
    nlp = spacy.blank("en")
    model = model_config("rnn_ner")
    nlp.add_pipe("rnn_ner", config={"model": model, "n_best": 0})
    with pytest.raises(SettingsError, match="n_best: expected an integer of at least 0, got -1"):
        nlp.add_pipe("rnn_ner", name="other", config={"model": model, "n_best": -1})


def test_a_positive_label_of_exactly_two():
    nlp = pipeline("rnn_textcat")
    examples = []
    for label in ("x", "y"):
        doc = nlp.make_doc("a")
        doc.cats = {"x": float(label == "x"), "y": float(label == "y")}
        examples.append(Example(nlp.make_doc("a"), doc))
    pipe = nlp.get_pipe("rnn_textcat")
    pipe.initialize(lambda: examples, nlp=nlp, positive_label="y")
    assert pipe.cfg["positive_label"] == "y"
    with pytest.raises(LabelError, match="expected no positive_label with 3 categories"):
        pipe.initialize(lambda: examples, nlp=nlp, labels=["x", "y", "z"], positive_label="y")
