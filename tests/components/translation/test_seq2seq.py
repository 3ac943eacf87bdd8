"""Sequence to sequence as a spaCy component: its contract, its texts, and where it looks."""

from functools import partial
from itertools import chain

import numpy as np
import pytest
import spacy
from helpers.component_contract import Component, TextContract
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed

from rnnpipe.errors import LabelError, SettingsError
from rnnpipe.parts.decoders.generation.beam import Beam
from rnnpipe.parts.decoders.generation.sampler import Sampler

#: Each word backwards, or its letters as words.
WORDS = ["abc", "cab", "b", "", "bca", "acb", "ca", "cc"]
WAYS = {
    "characters": ({"@rnnpipe_symbols": "rnnpipe.Characters.v1"}, lambda word: word[::-1]),
    "words": (
        {"@rnnpipe_symbols": "rnnpipe.Words.v1", "min_count": 1},
        lambda word: " ".join(word[::-1]),
    ),
}
LSTM = {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 24}
BILSTM = {"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": 16}
GENERAL = {"@rnnpipe_attentions": "rnnpipe.General.v1"}
SEARCH = {"@rnnpipe_decoders": "rnnpipe.Beam.v1", "beam_size": 3, "max_length": 12}


def pipeline(way="characters", attribute="translation", copy_unknown=False, **model):
    nlp = spacy.blank("xx")
    model = {
        "@architectures": "rnnpipe.Seq2Seq.v1",
        "source": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
        "target": WAYS[way][0],
        "encoder": BILSTM,
        "decoder": LSTM,
        "attention": GENERAL,
        "output": {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"},
        "width": 24,
        **model,
    }
    config = {"attribute": attribute, "copy_unknown": copy_unknown, "search": SEARCH}
    nlp.add_pipe("rnn_seq2seq", name="reverse", config={"model": model, **config})
    return nlp


def example(nlp, source, target, attribute="translation"):
    reference = nlp.make_doc(source)
    if target is not None:
        reference._.set(attribute, target)
    return Example(nlp.make_doc(source), reference)


def examples(nlp, way="characters", words=WORDS):
    return [example(nlp, word, WAYS[way][1](word)) for word in words]


def train(nlp, way="characters", steps=60, drop=0.0):
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples(nlp, way))
    optimizer.learn_rate = 0.02
    return optimizer, [
        nlp.update(examples(nlp, way), sgd=optimizer, drop=drop)["reverse"] for _ in range(steps)
    ]


@pytest.fixture(scope="module", params=WAYS)
def trained(request):
    nlp = pipeline(request.param)
    return request.param, nlp, train(nlp, request.param)[1]


def annotations(docs):
    return [
        (
            doc._.translation,
            doc._.translation_log_probability,
            doc._.translation_pieces,
            doc._.translation_attention.tolist(),
        )
        for doc in docs
    ]


@pytest.fixture
def component(trained):
    way, nlp, _ = trained

    def answer(doc):
        ((text, log_probability, pieces, attention),) = annotations([doc])
        return (text, pieces), [log_probability, *chain(*attention)]

    def docs(nlp):
        return [nlp.make_doc(word) for word in (*WORDS, "abcabc", "xay", "aaaaaaaaa", "zb a")]

    return Component(nlp, partial(pipeline, way), partial(examples, way=way), answer, docs)


class TestContract(TextContract):
    """Of translations."""


def test_it_learns_its_pairs(trained):
    way, nlp, losses = trained
    assert losses[-1] < 0.1 * losses[0]
    right = [WAYS[way][1](word) for word in WORDS]
    assert [doc._.translation for doc in nlp.pipe(WORDS)] == right
    assert nlp.evaluate(examples(nlp, way))["sequence_accuracy"] == 1.0


def test_what_is_set_on_a_document(trained):
    way, nlp, _ = trained
    doc = nlp("abc")
    assert doc._.translation_log_probability < 0
    pieces = ["c", "b", "a"] if way == "characters" else ["c", " b", " a"]
    assert doc._.translation_pieces == pieces
    assert nlp.get_pipe("reverse").source_pieces(doc) == ["a", "b", "c"]
    attention = doc._.translation_attention
    assert (attention.shape, attention.dtype) == ((3, 3), np.float32)
    np.testing.assert_allclose(attention.sum(1), 1.0, atol=1e-5)
    again = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert annotations([again]) == annotations([doc])


def test_other_searches_at_call_time(trained):
    way, nlp, _ = trained
    pipe = nlp.get_pipe("reverse")
    docs = [nlp.make_doc(word) for word in ("abc", "")]
    ranked = pipe.translations(docs, search=Beam(beam_size=4, n_best=4, max_length=8))
    assert [len(texts) for texts in ranked] == [4, 4]
    assert ranked[0][0].text == WAYS[way][1]("abc")
    scores = [text.score for text in ranked[0]]
    assert scores == sorted(scores, reverse=True)
    (drawn, _) = pipe.translations(docs, search=Sampler(temperature=0.0, max_length=8))
    assert drawn[0].text == ranked[0][0].text
    assert docs[0]._.translation is None
    assert pipe.translations([]) == []


def test_empty_documents_train_and_predict():
    nlp = pipeline()
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples(nlp))
    assert nlp.update([example(nlp, "", "")] * 2, sgd=optimizer)["reverse"] > 0
    assert all(isinstance(doc._.translation, str) for doc in nlp.pipe(["", ""]))


def test_examples_without_a_text_are_passed_over():
    nlp = pipeline()
    optimizer, _ = train(nlp, steps=1)
    before = nlp.get_pipe("reverse").model.to_bytes()
    assert nlp.update([example(nlp, "abc", None)], sgd=optimizer)["reverse"] == 0.0
    assert nlp.get_pipe("reverse").model.to_bytes() == before
    batch = [example(nlp, "abc", None), example(nlp, "abc", "cba")]
    pipe = nlp.get_pipe("reverse")
    alone = pipe.update([example(nlp, "abc", "cba")])["reverse"]
    assert pipe.update(batch)["reverse"] == pytest.approx(alone)


def test_without_attention():
    nlp = pipeline(attention=None)
    train(nlp, steps=100)
    doc = nlp("cab")
    assert doc._.translation == "bac"
    assert doc._.translation_attention is None


def test_one_vocabulary_for_both_sides():
    nlp = pipeline(target=None, input_feeding=True)
    train(nlp)
    pipe = nlp.get_pipe("reverse")
    assert pipe.source_symbols is pipe.target_symbols
    assert nlp("cab")._.translation == "bac"


def test_two_components_side_by_side():
    nlp = pipeline()
    model = nlp.get_pipe_config("reverse")["model"]
    config = {"model": model, "attribute": "copy", "search": SEARCH}
    nlp.add_pipe("rnn_seq2seq", name="copy", config=config)
    both = examples(nlp)
    for eg, word in zip(both, WORDS, strict=True):
        eg.reference._.copy = word
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: both)
    optimizer.learn_rate = 0.02
    for _ in range(60):
        nlp.update(both, sgd=optimizer)
    doc = nlp("cab")
    assert (doc._.translation, doc._.copy) == ("bac", "cab")


def test_unknown_symbols_are_copied_by_attention():
    """Names are seen once, so they are unknown on both sides, and stand where they stood."""
    words = {"@rnnpipe_symbols": "rnnpipe.Words.v1", "min_count": 2}
    nlp = pipeline(source=words, target=words, copy_unknown=True)
    names = ["Ann", "Bea", "Cyd", "Dot", "Eve", "Fay", "Gil", "Hal", "Ida"]
    pairs = [(f"je vois {name} ici", f"here I see {name} now") for name in names]
    pairs += [(f"{name} chante", f"{name} sings") for name in ("Jon", "Kim", "Lea", "Mia", "Nat")]
    batch = [example(nlp, *pair) for pair in pairs]
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: batch)
    optimizer.learn_rate = 0.01
    for _ in range(150):
        nlp.update(batch, sgd=optimizer)
    assert nlp("je vois Zoe ici")._.translation == "here I see Zoe now"
    assert nlp("Zoe chante")._.translation_pieces == ["Zoe", " sings"]
    # Without copying, unknown words are never chosen.
    pipe = nlp.get_pipe("reverse")
    pipe.cfg["copy_unknown"] = False
    assert "\ufffd" not in nlp("je vois Zoe ici")._.translation
    assert "Zoe" not in nlp("je vois Zoe ici")._.translation


@pytest.mark.parametrize("changes", [{}, {"input_feeding": True}, {"attention": None}])
def test_half_the_precision(changes):
    nlp = pipeline(precision="bfloat16", label_smoothing=0.1, **changes)
    _, losses = train(nlp, steps=20, drop=0.1)
    assert losses[-1] < losses[0]
    assert all(isinstance(doc._.translation, str) for doc in nlp.pipe(WORDS))


def test_default_configuration_trains():
    nlp = spacy.blank("xx")
    nlp.add_pipe("rnn_seq2seq")
    optimizer = nlp.initialize(lambda: examples(nlp))
    losses = [nlp.update(examples(nlp), sgd=optimizer)["rnn_seq2seq"] for _ in range(5)]
    assert losses[-1] < losses[0]


def test_symbols_from_another_corpus():
    nlp = pipeline()
    pipe = nlp.get_pipe("reverse")
    pipe.initialize(list, nlp=nlp, corpus=lambda nlp: iter(examples(nlp, words=["xyz"])))
    assert sorted(pipe.source_symbols.characters) == ["x", "y", "z"]


# What people get wrong


def test_nothing_to_learn_from():
    nlp = pipeline()
    text = (
        r"components.reverse: expected training examples with reference._.translation, got no text "
        r"to learn. Read them with rnnpipe.ParallelCorpus.v1"
    )
    with pytest.raises(LabelError, match=text):
        nlp.initialize(lambda: [example(nlp, "abc", None)])
    with pytest.raises(LabelError, match="got no text to learn"):
        nlp.get_pipe("reverse").initialize(list)


def test_a_translation_that_is_no_text():
    nlp = pipeline()
    text = r"components.reverse: reference._.translation: expected text, got \['c', 'b'\]"
    with pytest.raises(LabelError, match=text):
        nlp.initialize(lambda: [example(nlp, "bc", ["c", "b"])])


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ({"decoder": BILSTM}, r"reverse.model.decoder: expected a causal enc.*got Bidirectional"),
        (
            {"attention": None, "input_feeding": True},
            r"reverse.model.input_feeding: expected false without attention",
        ),
        ({"reverse_source": True}, "reverse.model.reverse_source: expected false for a bidir"),
        (
            {"attention": {"@rnnpipe_attentions": "rnnpipe.Dot.v1"}},
            r"attention: expected a decoder whose states are as wide as the encoder's \(32\)",
        ),
        (
            {"attention": {"@rnnpipe_attentions": "rnnpipe.Dotted.v1"}},
            "expected a name of @rnnpipe_attentions, got 'rnnpipe.Dotted.v1'. Did you mean",
        ),
        ({"attention": LSTM}, "expected a block with @rnnpipe_attentions"),
    ],
)
def test_settings_that_do_not_fit(model, text):
    with pytest.raises((SettingsError, ValueError), match=text):
        pipeline(**model)


def test_copying_without_attention():
    text = "components.reverse.copy_unknown: expected false without attention, got True"
    with pytest.raises(SettingsError, match=text):
        pipeline(copy_unknown=True, attention=None)


def test_a_search_that_labels():
    nlp = spacy.blank("xx")
    search = {"search": {"@rnnpipe_decoders": "rnnpipe.CRF.v1"}}
    text = "components.rnn_seq2seq.search: expected a block with @rnnpipe_decoders that generates"
    with pytest.raises(SettingsError, match=text):
        nlp.add_pipe("rnn_seq2seq", config=search)


def test_a_beam_wider_than_the_vocabulary(trained):
    _, nlp, _ = trained
    with pytest.raises(SettingsError, match=r"beam_size: expected at most the number of symbols"):
        nlp.get_pipe("reverse").translations([nlp.make_doc("a")], search=Beam(beam_size=50))
