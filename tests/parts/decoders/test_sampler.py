"""Sampling, against the exact probabilities of every text."""

import math
from collections import Counter
from itertools import islice

import numpy as np
import pytest
import spacy
import torch
from helpers.toy_models import Letters, Markov, as_text, enumerate_texts, next_log_probabilities
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.contracts.registry import decoders, filters
from rnnpipe.contracts.types import StreamingGenerator
from rnnpipe.errors import ConfigError
from rnnpipe.parts.decoders.generation.noise import GumbelNoise

LETTERS = Letters(4)
START = torch.tensor([0])


def sampler(alphabet=LETTERS, **values):
    return decoders.get("rnnpipe.Sampler.v1")(**values).generator(alphabet)


def filter_named(name, **values):
    return filters.get(f"rnnpipe.{name}.v1")(**values)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"temperature": 0.5},
        {"temperature": 2.0, "min_length": 2},
        {"stop": ["ab", "c"], "min_length": 1},
        {"filters": {"k": filter_named("TopK", k=3), "p": filter_named("TopP", p=0.8)}},
        {"filters": {"typical": filter_named("Typical", p=0.7)}, "temperature": 1.5},
        {"filters": {"once": filter_named("NoRepeat", n=1)}},
    ],
    ids=["plain", "cold", "hot", "stop", "nucleus", "typical", "no repeat"],
)
def test_frequencies_are_the_probabilities(values):
    model, n = Markov(4, seed=5), 4000
    (samples,) = sampler(**values, n_samples=n, max_length=3, seed=1).generate(model, START)
    counts = Counter(as_text(sample, LETTERS) for sample in samples)
    oracle = {k: v for k, v in values.items() if k != "filters"}
    keep = [builder(LETTERS) for builder in values.get("filters", {}).values()]
    exact = enumerate_texts(model, 0, LETTERS, max_length=3, filters=keep, **oracle)
    assert counts.keys() <= exact.keys()
    assert sum(math.exp(q) for _, q in exact.values()) == pytest.approx(1.0)
    # Pearson's statistic is about as large as the number of outcomes.
    surprise = sum(
        (counts[text] - n * math.exp(q)) ** 2 / (n * math.exp(q)) for text, (_, q) in exact.items()
    )
    assert surprise < len(exact) + 5 * math.sqrt(2 * len(exact))
    for sample in samples[:50]:
        log_p, _ = exact[as_text(sample, LETTERS)]
        assert sample.log_probability == pytest.approx(log_p, abs=1e-5)
        assert sample.score == sample.log_probability


@given(seed=st.integers(0, 1000), min_length=st.integers(0, 3), starts=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_temperature_zero_takes_the_most_likely_symbol(seed, min_length, starts):
    model = Markov(4, seed)
    greedy = sampler(temperature=0.0, max_length=6, min_length=min_length)
    texts = greedy.generate(model, torch.arange(starts))
    for start, (text,) in enumerate(texts):
        symbols = []
        while len(symbols) < 6 and LETTERS.end not in symbols:
            log_p = next_log_probabilities(model, start, symbols)
            if len(symbols) < min_length:
                log_p[LETTERS.end] = -torch.inf
            symbols.append(int(log_p.argmax()))
        assert as_text(text, LETTERS) == tuple(symbols)


@given(seed=st.integers(0, 1000), n=st.integers(1, 3), prompts=st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_a_stream_is_what_is_generated(seed, n, prompts):
    model, starts = Markov(4, seed), torch.arange(prompts)
    generator = sampler(n_samples=n, max_length=8, seed=seed, stop=["ba"])
    assert isinstance(generator, StreamingGenerator)
    texts = [[[] for _ in range(n)] for _ in range(prompts)]
    endings = {}
    for emission in generator.stream(model, starts):
        assert (emission.prompt, emission.sample) not in endings
        texts[emission.prompt][emission.sample].append((emission.symbol, emission.log_probability))
        if emission.ended:
            endings[emission.prompt, emission.sample] = emission.ended
    for i, samples in enumerate(generator.generate(model, starts)):
        for j, sample in enumerate(samples):
            symbols = as_text(sample, LETTERS)
            assert texts[i][j] == list(zip(symbols, sample.log_probabilities, strict=True))
            assert endings[i, j] == sample.ended


def test_a_stream_runs_no_further_than_it_is_read():
    model = Markov(4)
    stream = sampler(Letters(4, ends=False), max_length=10**9, seed=0).stream(model, START)
    assert len(list(islice(stream, 5))) == 5
    assert len(model.advanced) == 5
    stream.close()


def test_texts_that_are_over_cost_nothing():
    model = Markov(4, seed=1)
    (samples,) = sampler(n_samples=50, max_length=10, seed=0).generate(model, START)
    lengths = [len(sample.log_probabilities) for sample in samples]
    assert model.advanced == [sum(n > t for n in lengths) for t in range(max(lengths))]


def test_a_sample_depends_on_the_seed_and_its_number_alone():
    model, starts = Markov(4), torch.tensor([2, 0, 1, 0])
    texts = sampler(n_samples=3, max_length=9, seed=7).generate(model, starts)
    assert texts[1] == texts[3]
    assert texts[1][:2] == sampler(n_samples=2, max_length=9, seed=7).generate(model, START)[0]
    assert texts != sampler(n_samples=3, max_length=9, seed=8).generate(model, starts)


def test_without_a_seed_every_call_and_prompt_is_new():
    model = Markov(4, sharpness=0.1)
    generator = sampler(Letters(4, ends=False), max_length=40)
    first, second = generator.generate(model, torch.tensor([0, 0]))
    again, _ = generator.generate(model, torch.tensor([0, 0]))
    assert len({tuple(text.symbols) for (text,) in (first, second, again)}) == 3


def test_noise_is_gumbel_noise_and_the_same_however_much_is_drawn():
    numbers = list(range(200))
    noise = GumbelNoise(3, numbers, 50)
    draws = np.stack([noise.next() for _ in range(100)])  # more than one block
    few = GumbelNoise(3, [7], 50)
    assert (np.stack([few.next() for _ in range(100)])[:, 0] == draws[:, 7]).all()
    assert np.isfinite(draws).all()
    assert float(draws.mean()) == pytest.approx(np.euler_gamma, abs=0.01)
    assert float(draws.var()) == pytest.approx(math.pi**2 / 6, abs=0.02)


def test_stop_phrases_end_a_text_and_stay():
    model = Markov(4, seed=2)
    (samples,) = sampler(n_samples=200, max_length=30, stop=["ab", [2]], seed=0).generate(
        model, START
    )
    stopped = [sample.symbols for sample in samples if sample.ended == "stop"]
    assert {tuple(symbols[-2:]) for symbols in stopped} > {(0, 1)}
    for symbols in stopped:
        text = "".join("abcd"[symbol] for symbol in symbols)
        assert text.endswith(("ab", "c")) and "ab" not in text[:-1] and "c" not in text[:-1]


def test_lengths():
    model = Markov(4, seed=3)
    (samples,) = sampler(n_samples=300, min_length=2, max_length=4, seed=0).generate(model, START)
    assert {(len(sample.symbols), sample.ended) for sample in samples} == {
        (2, "end"),
        (3, "end"),
        (4, "length"),
    }
    (only,) = sampler(min_length=3, max_length=3, seed=0).generate(model, START)[0]
    assert (len(only.symbols), only.ended) == (3, "length")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"temperature": -0.1},
            "rnnpipe.Sampler.v1.temperature: expected a number of at least 0, got -0.1.",
        ),
        (
            {"temperature": float("inf")},
            "rnnpipe.Sampler.v1.temperature: expected a number of at least 0, got inf.",
        ),
        (
            {"n_samples": 0},
            "rnnpipe.Sampler.v1.n_samples: expected an integer greater than 0, got 0.",
        ),
        (
            {"min_length": 5, "max_length": 4},
            (
                "rnnpipe.Sampler.v1.min_length: expected at most max_length (4), got 5. "
                "Lower min_length or raise max_length."
            ),
        ),
        ({"stop": [""]}, "rnnpipe.Sampler.v1.stop: expected at least one symbol, got ''."),
        (
            {"stop": ["az"]},
            (
                "rnnpipe.Sampler.v1.stop: expected symbols below 4, the number of symbols of the "
                "model, got 'az'."
            ),
        ),
    ],
)
def test_bad_settings(values, message):
    with pytest.raises(ConfigError) as caught:
        sampler(**values)
    assert str(caught.value) == message


def test_a_least_length_without_an_end():
    with pytest.raises(ConfigError) as caught:
        sampler(Letters(4, ends=False), min_length=2)
    assert str(caught.value) == (
        "rnnpipe.Sampler.v1.min_length: expected 0 for a model without an end symbol, whose texts "
        "all have max_length symbols, got 2. Remove it or set stop."
    )


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_filters_that_leave_nothing(temperature):
    once = {"once": filter_named("NoRepeat", n=1)}
    generator = sampler(min_length=9, filters=once, temperature=temperature, seed=0)
    with pytest.raises(ConfigError) as caught:
        generator.generate(Markov(4), START)
    assert str(caught.value) == (
        "rnnpipe.Sampler.v1: expected at least one allowed next symbol, got none after "
        "3 symbols under once, min_length. Relax one of them."
    )


def test_it_labels_nothing():
    config = {"model": {"decoder": {"@rnnpipe_decoders": "rnnpipe.Sampler.v1"}}}
    with pytest.raises(ConfigError) as caught:
        spacy.blank("en").add_pipe("rnn_tagger", config=config)
    assert str(caught.value) == (
        "components.rnn_tagger.model.decoder: expected a block with @rnnpipe_decoders that labels, "
        "got rnnpipe.Sampler.v1."
    )
