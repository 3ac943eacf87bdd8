"""The language model as a spaCy component: its contract, its scores, and its text."""

import math
from functools import partial

import pytest
import spacy
from helpers.component_contract import Component, TextContract
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed

from rnnpipe.errors import CorpusError, SettingsError
from rnnpipe.parts.decoders.generation.sampler import Sampler
from rnnpipe.training.corpora.stream import StreamBatcher, TextStream

TEXTS = ["a rose is a rose is a rose", "", "to be or not to be", "x"]
SYMBOLS = {
    "characters": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
    "bytes": {"@rnnpipe_symbols": "rnnpipe.Bytes.v1"},
    "words": {"@rnnpipe_symbols": "rnnpipe.Words.v1", "min_count": 1},
}
OUTPUTS = {
    "characters": {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"},
    "bytes": {"@rnnpipe_outputs": "rnnpipe.AdaptiveSoftmax.v1", "cutoffs": [130]},
    "words": {"@rnnpipe_outputs": "rnnpipe.TiedSoftmax.v1"},
}
LSTM = {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 24}


def pipeline(kind="characters", end_symbol=True, **model):
    nlp = spacy.blank("en")
    model = {"symbols": SYMBOLS[kind], "output": OUTPUTS[kind], "encoder": LSTM, **model}
    model = {"@architectures": "rnnpipe.LanguageModel.v1", "width": 24, **model}
    nlp.add_pipe("rnn_lm", name="lm", config={"model": model, "end_symbol": end_symbol})
    return nlp


def backward(kind="characters"):
    return {"@rnnpipe_symbols": "rnnpipe.Backward.v1", "symbols": SYMBOLS[kind]}


def examples(nlp, texts=TEXTS):
    return [Example(nlp.make_doc(text), nlp.make_doc(text)) for text in texts]


def train(nlp, steps, drop=0.0):
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples(nlp))
    optimizer.learn_rate = 0.03
    return optimizer, [
        nlp.update(examples(nlp), sgd=optimizer, drop=drop)["lm"] for _ in range(steps)
    ]


@pytest.fixture(scope="module", params=SYMBOLS)
def trained(request):
    nlp = pipeline(request.param)
    return request.param, nlp, train(nlp, 180 if request.param == "bytes" else 60)[1]


@pytest.fixture
def component(trained):
    def answer(doc):
        numbers = [doc._.log_probability, *doc._.token_log_probabilities.tolist()]
        return (len(doc), doc._.symbol_count), numbers

    def docs(nlp):
        return [nlp.make_doc(text) for text in (*TEXTS, "is a é new \u3000 rose?")]

    return Component(trained[1], partial(pipeline, trained[0]), examples, answer, docs)


class TestContract(TextContract):
    """Of language models."""


def test_it_learns_its_texts_and_continues_them(trained):
    _, nlp, losses = trained
    assert losses[-1] < 0.2 * losses[0]
    pipe = nlp.get_pipe("lm")
    assert pipe.generate("to be or", max_length=50, temperature=0) == " not to be"
    assert pipe.generate(nlp("to be or"), max_length=50, temperature=0) == " not to be"


def test_round_trips_give_equal_text(trained, stored):
    kind, nlp, _ = trained
    again = stored(nlp, lambda: pipeline(kind))
    settings = {"max_length": 20, "seed": 3}
    texts = [n.get_pipe("lm").generate("a rose", **settings) for n in (nlp, again)]
    assert texts[0] == texts[1]


def test_an_untrained_component_writes_nothing():
    again = pipeline().from_bytes(pipeline().to_bytes())
    with pytest.raises(ValueError, match="E109"):
        again.get_pipe("lm").generate("Not initialised.")


def test_scores_of_tokens(trained):
    _, nlp, _ = trained
    for doc in map(nlp, TEXTS):
        assert [token._.log_probability for token in doc] == doc._.token_log_probabilities.tolist()


def test_what_is_counted(trained):
    kind, nlp, _ = trained
    doc = nlp("to bé")
    n_symbols = {"characters": 5, "bytes": 6, "words": 2}[kind]
    assert doc._.symbol_count == n_symbols + 1  # and the end
    end = doc._.log_probability - float(doc._.token_log_probabilities.sum())
    assert end < 0
    assert nlp("")._.symbol_count == 1


def test_scores_have_units_and_counts(trained):
    _, nlp, _ = trained
    result = nlp.evaluate(examples(nlp))
    nats = -sum(nlp(text)._.log_probability for text in TEXTS)
    count = sum(nlp(text)._.symbol_count for text in TEXTS)
    characters = len("".join(TEXTS))
    assert (result["lm_symbols"], result["lm_characters"]) == (count, characters)
    assert result["lm_nats"] == pytest.approx(nats / count, rel=1e-4)
    assert result["lm_perplexity"] == pytest.approx(math.exp(nats / count), rel=1e-4)
    assert result["lm_bits_per_character"] == pytest.approx(
        nats / math.log(2) / characters, rel=1e-4
    )
    assert result["lm_probability"] == pytest.approx(1 / result["lm_perplexity"])


def test_nothing_to_score():
    nlp = pipeline(end_symbol=False)
    train(nlp, 1)
    result = nlp.evaluate(examples(nlp, ["", ""]))
    assert result["lm_nats"] is result["lm_bits_per_character"] is result["lm_probability"] is None
    assert result["lm_symbols"] == 0


def test_empty_documents_train_and_predict(trained):
    kind, _, _ = trained
    for end_symbol in (True, False):
        nlp = pipeline(kind, end_symbol=end_symbol)
        optimizer, _ = train(nlp, 1)
        loss = nlp.update(examples(nlp, ["", ""]), sgd=optimizer)["lm"]
        assert (loss > 0) == end_symbol
        assert [len(doc) for doc in nlp.pipe(["", ""])] == [0, 0]


def test_default_configuration_trains():
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_lm")
    optimizer = nlp.initialize(lambda: examples(nlp))
    losses = [nlp.update(examples(nlp), sgd=optimizer)["rnn_lm"] for _ in range(5)]
    assert losses[-1] < losses[0]


def test_streams_and_their_pieces_are_the_text_of_generate(trained):
    _, nlp, _ = trained
    pipe = nlp.get_pipe("lm")
    settings = {"max_length": 30, "temperature": 0.8, "seed": 1}
    for prompt in ("a rose", ""):
        pieces = list(pipe.stream(prompt, **settings))
        assert "".join(pieces) == pipe.generate(prompt, **settings)
    assert len(list(pipe.stream("to be or", temperature=0))) > 2
    assert pipe.generate("to", decoder=Sampler(**settings)) == pipe.generate("to", **settings)


def test_probabilities_of_generated_text(trained):
    kind, nlp, _ = trained
    if kind == "bytes":
        return  # its text may hold bytes that are not UTF-8, and so cannot be read again
    pipe = nlp.get_pipe("lm")
    (text,) = pipe.generations("", max_length=40, temperature=0)
    doc = nlp.make_doc(pipe.writer.write(text.symbols, ""))
    nlp.get_pipe("lm")(doc)
    assert text.ended == "end"
    # Unknown symbols may be read but are never written, so they have no share of probability.
    assert text.log_probability == pytest.approx(doc._.log_probability, abs=0.05)


def test_text_follows_the_weights(trained):
    kind, _, _ = trained
    nlp = pipeline(kind)
    optimizer, _ = train(nlp, 1)
    pipe = nlp.get_pipe("lm")
    before = pipe.generations("to", max_length=5, temperature=0)[0].log_probabilities
    nlp.update(examples(nlp), sgd=optimizer)
    assert pipe.generations("to", max_length=5, temperature=0)[0].log_probabilities != before


def test_text_without_an_end(trained):
    kind, _, _ = trained
    nlp = pipeline(kind, end_symbol=False)
    train(nlp, 10)
    (text,) = nlp.get_pipe("lm").generations("a", max_length=60, seed=0)
    assert (len(text.symbols), text.ended) == (60, "length")
    assert min(text.symbols) > 1  # neither boundary nor unknown


def test_a_prompt_longer_than_any_chunk():
    nlp = pipeline(max_length=8)
    train(nlp, 30)
    pipe = nlp.get_pipe("lm")
    prompt = "a rose is " * 20 + "a ro"
    assert pipe.generate(prompt, max_length=2, temperature=0) == "se"


@pytest.fixture
def stream(tmp_path):
    path = tmp_path / "text"
    path.write_text("abcdefgh" * 40)
    return path


def test_a_stream_is_learnt_with_its_states(stream):
    nlp = pipeline(end_symbol=False)
    corpus = TextStream(stream, streams=4, chunk=3)
    fix_random_seed(0)
    pipe = nlp.get_pipe("lm")
    pipe.initialize(list, nlp=nlp, corpus=corpus)
    assert len(pipe.symbols) == 8 + 2
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.02
    for _ in range(3):
        for batch in StreamBatcher()(corpus(nlp)):
            assert len(batch) == 4
            nlp.update(batch, sgd=optimizer)
    dev = TextStream(stream, streams=2, chunk=0, part=(0.8, 1.0))
    result = nlp.evaluate(list(dev(nlp)))
    assert result["lm_symbols"] == 64
    assert result["lm_nats"] < 0.3
    assert pipe.generate("abc", max_length=9, temperature=0) == "defghabcd"


@pytest.mark.parametrize("kind", ["bytes", "words"])
@pytest.mark.parametrize("back", [False, True])
def test_chunks_add_up_to_the_stream(tmp_path, kind, back):
    path = tmp_path / "text"
    path.write_text("né à la mer\nund 😀 weiter", encoding="utf8")
    nlp = pipeline(kind, end_symbol=False, **({"symbols": backward(kind)} if back else {}))
    stream = partial(
        TextStream, path, tokens="words" if kind == "words" else "characters", backward=back
    )
    pipe = nlp.get_pipe("lm")
    pipe.initialize(list, nlp=nlp, corpus=stream())
    losses = [
        sum(pipe.update([eg])["lm"] for eg in stream(chunk=chunk)(nlp)) for chunk in (2, 5, 100)
    ]
    (whole,) = stream(chunk=0)(nlp)
    assert losses == pytest.approx([-nlp(whole.predicted)._.log_probability] * 3, rel=1e-4)


def test_a_model_that_reads_backward_is_one_of_reversed_texts(tmp_path):
    ahead, back = pipeline(), pipeline(symbols=backward())
    train(ahead, 60)
    back.get_pipe("lm").from_bytes(ahead.get_pipe("lm").to_bytes())
    back.to_disk(tmp_path / "model")
    text = "rose is é to"
    for nlp in (back, spacy.load(tmp_path / "model")):
        doc = nlp(text)
        assert doc._.log_probability == pytest.approx(ahead(text[::-1])._.log_probability)
        assert doc._.token_log_probabilities[-1] == pytest.approx(
            ahead(Doc(ahead.vocab, words=["ot"], spaces=[False]))._.token_log_probabilities[0]
        )
    assert back.get_pipe("lm").generate("eb ot", max_length=9, temperature=0) == ahead.get_pipe(
        "lm"
    ).generate("to be", max_length=9, temperature=0)


def test_a_backward_model_learns_its_texts():
    nlp = pipeline(symbols=backward())
    losses = train(nlp, 60)[1]
    assert losses[-1] < 0.2 * losses[0]
    assert nlp.get_pipe("lm").generate("t to be", max_length=50, temperature=0) == "on ro eb ot"


# What people get wrong


def test_an_encoder_that_looks_ahead():
    text = (
        r"components.lm.model.encoder: expected a causal encoder.*never looks ahead.*Bidirectional"
    )
    with pytest.raises(SettingsError, match=text):
        pipeline(encoder={"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": 4})


def test_tied_weights_that_do_not_fit():
    with pytest.raises(SettingsError, match=r"lm.model.width: expected an embedding as wide as"):
        pipeline("words", width=10)


def test_a_prompt_with_unknown_symbols(trained):
    kind, nlp, _ = trained
    pipe = nlp.get_pipe("lm")
    if kind == "bytes":
        assert pipe.generate("€", max_length=3, temperature=0) is not None
        return
    text = "components.lm: expected text with symbols seen in training, got '€'. .* a Doc"
    with pytest.raises(SettingsError, match=text):
        pipe.generate("a € rose")
    assert isinstance(pipe.generate(nlp.make_doc("a € rose"), max_length=5), str)


@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_a_corpus_without_text(texts):
    nlp = pipeline()
    with pytest.raises(CorpusError, match="lm: expected training documents with text, got no text"):
        nlp.get_pipe("lm").initialize(lambda: examples(nlp, texts), nlp=nlp)


def test_settings_that_contradict(trained):
    _, nlp, _ = trained
    pipe = nlp.get_pipe("lm")
    with pytest.raises(SettingsError, match="temperature"):
        pipe.generate("a", temperature=-1.0)
    with pytest.raises(SettingsError, match="n_samples: expected 1 for a stream, got 2"):
        pipe.stream("a", n_samples=2)
    with pytest.raises(SettingsError, match=r"generate: expected .* got 'both \(seed\)'"):
        pipe.generate("a", decoder=Sampler(), seed=1)


def test_shuffled_chunks(stream):
    nlp = pipeline(end_symbol=False)
    chunks = list(TextStream(stream, chunk=10)(nlp))
    nlp.initialize(lambda: chunks)
    with pytest.raises(CorpusError, match="max_epochs = -1"):
        nlp.update([chunks[1]])


@pytest.mark.parametrize(
    ("symbols", "way"),
    [
        (backward(), "its end, got 'one from its beginning'. Set backward = true"),
        (SYMBOLS["characters"], "its beginning, got 'one from its end'. Set backward = false"),
    ],
)
def test_a_stream_read_the_other_way(stream, symbols, way):
    nlp = pipeline(end_symbol=False, symbols=symbols)
    chunks = list(TextStream(stream, chunk=10, backward=symbols != backward())(nlp))
    nlp.initialize(lambda: chunks)
    nlp.update(chunks[:1])
    with pytest.raises(CorpusError, match=f"components.lm: expected a stream .*, from {way}"):
        nlp.update(chunks[1:2])


def test_a_doc_made_by_hand(trained):
    _, nlp, _ = trained
    doc = nlp(Doc(nlp.vocab, words=["a", "rose"], spaces=[True, False]))
    assert doc._.log_probability == pytest.approx(nlp("a rose")._.log_probability, abs=1e-4)
