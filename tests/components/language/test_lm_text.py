"""What people get wrong when they ask a language model for text, and what is left after they stop
it."""

import pytest
import spacy
import torch
from spacy.training import Example

from rnnpipe.contracts.registry import filters
from rnnpipe.errors import ConfigError
from rnnpipe.parts.decoders.crf import CRF
from rnnpipe.parts.decoders.generation.beam import Beam, ConstrainedBeam
from rnnpipe.parts.decoders.generation.sampler import Sampler

GRU = {"@rnnpipe_encoders": "rnnpipe.GRU.v1", "width": 8}
TopP = filters.get("rnnpipe.TopP.v1")
LSTM = {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 8}


def component(encoder):
    nlp = spacy.blank("en")
    model = {
        "@architectures": "rnnpipe.LanguageModel.v1",
        "symbols": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
        "output": {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"},
        "encoder": encoder,
        "width": 8,
        "max_length": 16,
    }
    pipe = nlp.add_pipe("rnn_lm", name="lm", config={"model": model, "end_symbol": False})
    doc = nlp.make_doc("abcdef")
    nlp.initialize(lambda: [Example(doc, doc)])
    return pipe


@pytest.fixture(scope="module", params=[LSTM, GRU], ids=["folded", "stepped"])
def pipe(request):
    return component(request.param)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda pipe: pipe.generate(temperature=-0.5),
            "rnnpipe.Sampler.v1.temperature: expected a number of at least 0, got -0.5.",
        ),
        (
            lambda pipe: pipe.generate(filters={"p": TopP(p=1.5)}),
            "rnnpipe.TopP.v1.p: expected a number greater than 0 and at most 1, got 1.5.",
        ),
        (
            lambda pipe: pipe.generate(filters={"p": TopP(p=0.0)}),
            "rnnpipe.TopP.v1.p: expected a number greater than 0 and at most 1, got 0.0.",
        ),
        (
            lambda pipe: pipe.generate(filters={"p": TopP}),
            (
                "rnnpipe.TopP.v1.p: expected a number greater than 0 and at most 1, got the "
                "alphabet of components.lm."
            ),
        ),
        (
            lambda pipe: pipe.generate(decoder=Beam(beam_size=9)),
            (
                "rnnpipe.Beam.v1.beam_size: expected at most the number of symbols (8), got 9. "
                "Lower beam_size."
            ),
        ),
        (
            lambda pipe: pipe.generate(min_length=5, max_length=4),
            (
                "rnnpipe.Sampler.v1.min_length: expected at most max_length (4), got 5. Lower "
                "min_length or raise max_length."
            ),
        ),
        (
            lambda pipe: pipe.generate("aé"),
            (
                "components.lm: expected text with symbols seen in training, got 'é'. Remove it; "
                "only a prompt that is a Doc may contain it."
            ),
        ),
        (
            lambda pipe: pipe.generate(7),
            "components.lm: prompt: expected a str or a Doc, got 7. Convert it to text.",
        ),
        (
            lambda pipe: pipe.generate(stop=["é"]),
            (
                "rnnpipe.Sampler.v1.stop: components.lm: expected text with symbols seen in "
                "training, got 'é'. Remove it; only a prompt that is a Doc may contain it."
            ),
        ),
        (
            lambda pipe: pipe.generate(decoder=ConstrainedBeam(phrases=["abcd"], max_length=3)),
            (
                "rnnpipe.ConstrainedBeam.v1.phrases: expected phrases of at most max_length (3) "
                "symbols, got 'abcd'. Shorten it or raise max_length."
            ),
        ),
        (
            lambda pipe: pipe.generate(decoder="rnnpipe.Beam.v1"),
            (
                "decoder: expected a decoder that generates, got 'rnnpipe.Beam.v1'. Pass the "
                "result of "
                "a registered function, such as rnnpipe.Beam.v1."
            ),
        ),
        (
            lambda pipe: pipe.stream(decoder=Beam(beam_size=2)),
            (
                "decoder: expected a decoder that generates symbol by symbol, such as "
                "rnnpipe.Sampler.v1, got rnnpipe.Beam.v1. Use such a decoder, or call generate."
            ),
        ),
        (
            lambda pipe: pipe.stream(decoder=Sampler(n_samples=2)),
            "n_samples: expected 1 for a stream, got 2. Omit it, or use generations.",
        ),
    ],
)
def test_what_people_get_wrong(pipe, ask, message):
    with pytest.raises(ConfigError) as caught:
        ask(pipe)
    assert str(caught.value) == message


def test_a_decoder_that_labels(pipe):
    with pytest.raises(ConfigError, match="decoder: expected a decoder that generates"):
        pipe.generate(decoder=CRF())


def test_prompts_of_any_length(pipe):
    for prompt in ("", "a", "abcdef" * 20):  # longer than any chunk
        (text,) = pipe.generations(prompt, max_length=6, temperature=0)
        assert len(text.symbols) == 6
        (longer,) = pipe.generations(prompt + pipe.generate(prompt, max_length=2, temperature=0))
        assert len(longer.symbols) == 500
        whole = pipe.generate(prompt, max_length=6, temperature=0)
        begun = pipe.generate(prompt, max_length=2, temperature=0)
        assert begun + pipe.generate(prompt + begun, max_length=4, temperature=0) == whole


@pytest.mark.parametrize(
    "decoder", [Sampler(seed=1, max_length=20), Beam(beam_size=3, max_length=20)]
)
def test_an_interrupted_call_leaves_everything_usable(pipe, decoder, monkeypatch):
    want = pipe.generate("ab", decoder=decoder)
    steps, calls = pipe.writer.steps, []
    advance = steps.advance

    def interrupted(symbols, state):
        calls.append(len(symbols))
        if len(calls) == 7:
            raise KeyboardInterrupt
        return advance(symbols, state)

    with monkeypatch.context() as patch:
        patch.setattr(steps, "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pipe.generate("ab", decoder=decoder)
    assert len(calls) == 7
    assert torch.is_grad_enabled()
    assert pipe.generate("ab", decoder=decoder) == want


def test_a_stream_that_is_closed_or_left(pipe):
    settings = {"seed": 3, "max_length": 30}
    want = pipe.generate("ab", **settings)
    first, second = pipe.stream("ab", **settings), pipe.stream("ab", **settings)
    begun = [next(first) for _ in range(4)]
    assert torch.is_grad_enabled()  # a stream that waits changes nothing outside it
    assert begun == [next(second) for _ in range(4)]
    first.close()
    assert "".join([*begun, *second]) == want
    assert pipe.generate("ab", **settings) == want
