"""Beam search for texts that must hold phrases, against the enumeration of all texts."""

import pytest
import torch
from helpers.beam_oracle import penalty
from helpers.toy_models import Letters, Markov, as_text, enumerate_texts
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.contracts.registry import decoders, filters
from rnnpipe.errors import ConfigError
from rnnpipe.parts.decoders.generation.constraints import Phrases

START = torch.tensor([0])


def beam(alphabet, **values):
    return decoders.get("rnnpipe.ConstrainedBeam.v1")(**values).generator(alphabet)


def holds(text, phrase):
    n = len(phrase)
    return any(list(text[i : i + n]) == list(phrase) for i in range(len(text) - n + 1))


PHRASES = [[[0]], [[1, 0]], [[0], [1]], [[0, 1], [1, 0]], [[1, 1], [1]], [[0, 0, 1]]]


@given(
    seed=st.integers(0, 10**6),
    phrases=st.sampled_from(PHRASES),
    ends=st.booleans(),
    kind=st.sampled_from(["none", "average", "gnmt"]),
    min_length=st.integers(0, 3),
    once=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_wide_beam_finds_the_best_text_that_holds_the_phrases(
    seed, phrases, ends, kind, min_length, once
):
    # Two letters and an end; there are more symbols only so that the beam may be wide.
    letters, model = Letters(20, ends), Markov(20, seed)
    model.table[..., 2:19] = -torch.inf
    if not ends:
        model.table[..., 19] = -torch.inf
        min_length = 0
    model.table = model.table.log_softmax(-1)
    block = {"once": filters.get("rnnpipe.NoRepeat.v1")(n=2)} if once else {}
    exact = enumerate_texts(
        model, 0, letters, 4, min_length, filters=[b(letters) for b in block.values()]
    )
    scored = {
        text: log_p / penalty(kind, 0.6, len(text))
        for text, (log_p, _) in exact.items()
        if all(holds(text, phrase) for phrase in phrases)
    }
    generator = beam(
        letters,
        phrases=phrases,
        beam_size=20,
        n_best=4,
        length_penalty=kind,
        min_length=min_length,
        max_length=4,
        filters=block,
    )
    if not scored:
        with pytest.raises(ConfigError, match="under .*phrases"):
            generator.generate(model, START)
        return
    (texts,) = generator.generate(model, START)
    ranked = sorted(scored.values(), reverse=True)[:4]
    assert [text.score for text in texts] == pytest.approx(ranked, abs=1e-4)
    for text in texts:
        assert text.score == pytest.approx(scored[as_text(text, letters)], abs=1e-4)


@given(seed=st.integers(0, 10**6), beam_size=st.integers(1, 5), n=st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_a_narrow_beam_still_holds_all_phrases(seed, beam_size, n):
    letters, model = Letters(5), Markov(5, seed, sharpness=3.0)
    phrases = [[3, 3, 0], [2], [1, 2]][:n]
    length = sum(map(len, phrases))
    generator = beam(letters, phrases=phrases, beam_size=beam_size, max_length=length + 1)
    starts = torch.tensor([0, 4, 2])
    together = generator.generate(model, starts)
    for start, texts in zip(starts, together, strict=True):
        assert all(holds(texts[0].symbols, phrase) for phrase in phrases)
        assert texts == generator.generate(model, start[None])[0]


@given(
    phrases=st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4), min_size=1, max_size=3),
    text=st.lists(st.integers(0, 3), max_size=9),
)
@settings(max_examples=60, deadline=None)
def test_progress_is_what_the_text_holds(phrases, text):
    tracked = Phrases([tuple(phrase) for phrase in phrases], 5)
    progress = torch.zeros(1, tracked.count, dtype=torch.int64).numpy()
    for symbol in text:
        progress = tracked.after(progress, tracked.kinds[[[symbol]]])[:, 0]
    complete = int(progress.sum()) == tracked.n_symbols
    assert complete == all(holds(text, phrase) for phrase in phrases)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"phrases": []},
            (
                "rnnpipe.ConstrainedBeam.v1.phrases: expected at least one, got []. "
                "Add one, or use rnnpipe.Beam.v1."
            ),
        ),
        (
            {"phrases": ["az"]},
            (
                "rnnpipe.ConstrainedBeam.v1.phrases: expected symbols below 5, the number of "
                "symbols of the model, got 'az'."
            ),
        ),
        (
            {"phrases": ["abc"], "max_length": 2},
            (
                "rnnpipe.ConstrainedBeam.v1.phrases: expected phrases of at most max_length (2) "
                "symbols, got 'abc'. Shorten it or raise max_length."
            ),
        ),
        (
            {"phrases": ["ae"]},
            (
                "rnnpipe.ConstrainedBeam.v1.phrases: expected phrases without the end symbol, "
                "which is added automatically, got 'ae'. Remove it."
            ),
        ),
        (
            {"phrases": ["a"], "beam_size": 6},
            (
                "rnnpipe.ConstrainedBeam.v1.beam_size: expected at most the number of symbols (5), "
                "got 6. Lower beam_size."
            ),
        ),
        (
            {"phrases": ["a"], "min_length": 9, "max_length": 8},
            (
                "rnnpipe.ConstrainedBeam.v1.min_length: expected at most max_length (8), got 9. "
                "Lower min_length or raise max_length."
            ),
        ),
    ],
)
def test_bad_settings(values, message):
    with pytest.raises(ConfigError) as caught:
        beam(Letters(5), **values)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {
                "phrases": ["ab"],
                "max_length": 6,
                "filters": {"no": filters.get("rnnpipe.Forbidden.v1")(phrases=["b"])},
            },
            (
                "expected at least one allowed next symbol, got none after 5 symbols under "
                "no, phrases. Relax one of them."
            ),
        ),
        (
            {"phrases": ["ab", "cd"], "max_length": 3},
            (
                "expected at least one allowed next symbol, got none after 2 symbols under "
                "phrases. Relax one of them."
            ),
        ),
    ],
    ids=["forbidden", "too many"],
)
def test_phrases_that_cannot_all_come(values, message):
    with pytest.raises(ConfigError) as caught:
        beam(Letters(5), beam_size=2, **values).generate(Markov(5), START)
    assert str(caught.value) == f"rnnpipe.ConstrainedBeam.v1: {message}"
