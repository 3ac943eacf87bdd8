"""Beam search, against the enumeration of all texts and against lists."""

import math
from collections import Counter, defaultdict

import pytest
import torch
from helpers.beam_oracle import penalty, search
from helpers.toy_models import Letters, Markov, as_text, enumerate_texts
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.contracts.registry import decoders, filters
from rnnpipe.errors import ConfigError
from rnnpipe.parts.decoders.generation.ranking import truncate

START = torch.tensor([0])
PENALTIES = st.sampled_from(["none", "average", "gnmt"])


def generator(name="Beam", alphabet=None, **values):
    return decoders.get(f"rnnpipe.{name}.v1")(**values).generator(alphabet or Letters(5))


def filter_named(name, **values):
    return filters.get(f"rnnpipe.{name}.v1")(**values)


class Forking(Markov):
    """Only two symbols can follow any text: 2^n texts of n symbols."""

    def __init__(self, size, seed):
        super().__init__(size, seed)
        table = self.table.exp()
        generator = torch.Generator().manual_seed(seed)
        two = torch.rand(table.shape, generator=generator).topk(2).indices
        table = torch.zeros_like(table).scatter(-1, two, table.gather(-1, two) + 0.05)
        self.table = (table / table.sum(-1, keepdim=True)).log()


class Attending(Forking):
    """With a coverage that grows with the symbols read."""

    def coverage(self, state):
        symbols, (count, checked) = state
        return -(1 + checked % 3 + symbols).double() / count

    def coverage_of(self, start, text):
        state = self.begin(1)
        for symbol in [start, *text[:-1]]:
            _, state = self.advance(torch.tensor([symbol]), state)
        return float(self.coverage(state))


def assert_same(texts, oracle, alphabet):
    """The same texts in the same order, those of equal score in any."""
    assert [text.score for text in texts] == pytest.approx([s for _, s in oracle], abs=1e-4)
    scores = dict(oracle)
    for text in texts:
        assert text.score == pytest.approx(scores[as_text(text, alphabet)], abs=1e-4)
    assert len({as_text(text, alphabet) for text in texts}) == len(texts)


@given(
    seed=st.integers(0, 10**6),
    kind=PENALTIES,
    alpha=st.floats(0.0, 2.0),
    n_best=st.integers(1, 16),
    min_length=st.integers(0, 2),
    coverage=st.sampled_from([0.0, 0.3]),
    stop=st.sampled_from([[], [[2]], [[1, 3], [4]]]),
)
@settings(max_examples=60, deadline=None)
def test_a_wide_beam_finds_the_best_of_all_texts(
    seed, kind, alpha, n_best, min_length, coverage, stop
):
    letters, model = Letters(16), Attending(16, seed)
    beam = generator(
        alphabet=letters,
        beam_size=16,
        n_best=n_best,
        length_penalty=kind,
        alpha=alpha if kind == "gnmt" else None,
        coverage_penalty=coverage,
        min_length=min_length,
        max_length=4,
        stop=stop,
    )
    exact = enumerate_texts(model, 0, letters, 4, min_length, stop)
    scored = [
        (text, log_p / penalty(kind, alpha, len(text)) + coverage * model.coverage_of(0, text))
        for text, (log_p, _) in exact.items()
    ]
    ranked = sorted(scored, key=lambda found: -found[1])
    try:
        (texts,) = beam.generate(model, START)
    except ConfigError:  # the end symbol alone could follow, and was forbidden
        assert not ranked
        return
    assert [text.score for text in texts] == pytest.approx(
        [score for _, score in ranked[:n_best]], abs=1e-4
    )
    for text in texts:
        symbols = as_text(text, letters)
        assert text.score == pytest.approx(dict(scored)[symbols], abs=1e-4)
        assert text.log_probability == pytest.approx(exact[symbols][0], abs=1e-4)


@given(
    seed=st.integers(0, 10**6),
    beam_size=st.integers(1, 5),
    data=st.data(),
    kind=PENALTIES,
    min_length=st.integers(0, 3),
    stop=st.sampled_from([[], ["ab", "c"], ["b", "a"]]),
    block=st.sampled_from([None, 1, 2]),
)
@settings(max_examples=50, deadline=None)
def test_stopping_loses_nothing(seed, beam_size, data, kind, min_length, stop, block):
    n_best = data.draw(st.integers(1, beam_size))
    letters, model = Letters(5), Markov(5, seed, sharpness=1.5)
    blocked = {"block": filter_named("NoRepeat", n=block)} if block else {}
    beam = generator(
        alphabet=letters,
        beam_size=beam_size,
        n_best=n_best,
        length_penalty=kind,
        min_length=min_length,
        max_length=5,
        stop=stop,
        filters=blocked,
    )
    oracle = search(
        model,
        0,
        letters,
        beam_size,
        5,
        min_length,
        stop,
        [builder(letters) for builder in blocked.values()],
        kind,
    )
    if not oracle:
        with pytest.raises(ConfigError, match="expected at least one allowed next symbol"):
            beam.generate(model, START)
        return
    (texts,) = beam.generate(model, START)
    assert_same(texts, oracle[: len(texts)], letters)
    assert len(texts) == min(n_best, len(oracle))


@given(seed=st.integers(0, 10**6), beam_size=st.integers(1, 5), kind=PENALTIES)
@settings(max_examples=25, deadline=None)
def test_a_prompt_alone_and_in_a_batch(seed, beam_size, kind):
    model, starts = Markov(5, seed), torch.tensor([0, 3, 1, 0, 4, 2])
    beam = generator(beam_size=beam_size, n_best=beam_size, length_penalty=kind, max_length=7)
    together = beam.generate(model, starts)
    for start, texts in zip(starts, together, strict=True):
        assert texts == beam.generate(model, start[None])[0]


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_a_beam_of_one_is_greedy(seed):
    model, starts = Markov(5, seed), torch.arange(5)
    greedy = generator("Sampler", temperature=0.0, max_length=6).generate(model, starts)
    beam = generator(beam_size=1, max_length=6).generate(model, starts)
    assert [text.symbols for (text,) in beam] == [text.symbols for (text,) in greedy]


class Fixed(Markov):
    """The same distribution after every text."""

    def __init__(self, probabilities):
        super().__init__(len(probabilities))
        self.table = torch.tensor(probabilities, dtype=torch.float64).log().expand_as(self.table)


class TestStopping:
    model_of_two = Fixed([0.6, 0.4])  # 1 ends
    letters = Letters(2)

    def test_the_first_finished_text_may_lose(self):
        # By average, going on with 0.6 for long beats ending at once with 0.4.
        average = generator(
            alphabet=self.letters, beam_size=2, length_penalty="average", max_length=9
        )
        ((text,),) = average.generate(self.model_of_two, START)
        assert (text.symbols, text.ended) == ([0] * 9, "length")
        assert text.score == pytest.approx(math.log(0.6), abs=1e-5)

    def test_no_step_more_than_needed(self):
        model = Fixed([0.6, 0.4])
        plain = generator(alphabet=self.letters, beam_size=2, max_length=10**9)
        ((text,),) = plain.generate(model, START)
        assert (text.symbols, text.ended) == ([], "end")
        # 0.6 beats 0.4, 0.6 * 0.6 does not.
        assert len(model.advanced) == 2

    def test_finished_beams_cost_nothing(self):
        model = Markov(5, seed=4, sharpness=2.0)
        generator(beam_size=3, max_length=30).generate(model, torch.arange(5))
        assert model.advanced[0] == 15
        assert model.advanced == sorted(model.advanced, reverse=True)
        assert model.advanced[-1] < 15


@given(
    seed=st.integers(0, 10**6),
    n_groups=st.integers(1, 3),
    beam_size=st.integers(1, 3),
    diversity=st.floats(0.1, 3.0),
)
@settings(max_examples=25, deadline=None)
def test_diverse_groups(seed, n_groups, beam_size, diversity):
    letters = Letters(5, ends=False)  # so that all groups choose at every step
    model, starts = Markov(5, seed), torch.tensor([2, 0])
    diverse = generator(
        "DiverseBeam",
        letters,
        n_groups=n_groups,
        beam_size=beam_size,
        diversity=diversity,
        max_length=4,
    )
    found = diverse.generate(model, starts)
    for start, texts in zip(starts.tolist(), found, strict=True):
        chosen = defaultdict(list)
        groups = [
            search(model, start, letters, beam_size, 4, chosen_before=chosen, strength=diversity)
            for _ in range(n_groups)
        ]
        oracle = dict(group[0] for group in groups)
        assert_same(texts, sorted(oracle.items(), key=lambda f: -f[1]), letters)


def test_groups_that_are_over_leave_the_others_alone():
    model, starts = Markov(5, seed=8), torch.tensor([0, 3, 1, 4])
    diverse = generator("DiverseBeam", n_groups=3, beam_size=2, n_best=2, max_length=8)
    together = diverse.generate(model, starts)
    for start, texts in zip(starts, together, strict=True):
        assert texts == diverse.generate(model, start[None])[0]
        assert len({as_text(text, Letters(5)) for text in texts}) == len(texts) > 1


class TestStochasticBeam:
    letters = Letters(3)
    model = Markov(3, seed=6)

    def test_it_draws_without_replacement(self):
        exact = {
            text: math.exp(log_p)
            for text, (log_p, _) in enumerate_texts(self.model, 0, self.letters, 2).items()
        }
        pairs, n = Counter(), 700
        for seed in range(n):
            drawn = generator(
                "StochasticBeam", self.letters, n_samples=2, max_length=2, seed=seed
            ).generate(self.model, START)[0]
            pairs[tuple(as_text(text, self.letters) for text in drawn)] += 1
        chances = {
            (a, b): exact[a] * exact[b] / (1 - exact[a]) for a in exact for b in exact if a != b
        }
        assert pairs.keys() <= chances.keys()
        surprise = sum((pairs[k] - n * p) ** 2 / (n * p) for k, p in chances.items())
        assert surprise < len(chances) + 5 * math.sqrt(2 * len(chances))

    def test_every_text_once(self):
        texts = generator(
            "StochasticBeam", self.letters, n_samples=3, max_length=1, seed=0
        ).generate(self.model, START)[0]
        assert {as_text(text, self.letters) for text in texts} == {(0,), (1,), (2,)}
        assert [text.score for text in texts] == sorted((t.score for t in texts), reverse=True)

    def test_a_prompt_alone_and_in_a_batch(self):
        beam = generator("StochasticBeam", n_samples=4, max_length=6, seed=3)
        model, starts = Markov(5, seed=2), torch.tensor([1, 4, 0, 2])
        together = beam.generate(model, starts)
        for start, texts in zip(starts, together, strict=True):
            assert texts == beam.generate(model, start[None])[0]

    def test_truncated_gumbels_have_the_given_maximum_and_keep_their_order(self):
        gumbels = torch.randn(50, 7, dtype=torch.float64)
        maximum = torch.randn(50, 1, dtype=torch.float64)
        truncated = truncate(gumbels, maximum)
        torch.testing.assert_close(truncated.amax(-1, keepdim=True), maximum)
        assert torch.equal(truncated.argsort(-1), gumbels.argsort(-1))
        plain = -torch.log((-maximum).exp() - (-gumbels.amax(-1, True)).exp() + (-gumbels).exp())
        torch.testing.assert_close(truncated, plain)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (
            "Beam",
            {"beam_size": 6},
            (
                "rnnpipe.Beam.v1.beam_size: expected at most the number of symbols (5), got 6. "
                "Lower beam_size."
            ),
        ),
        (
            "StochasticBeam",
            {"n_samples": 6},
            (
                "rnnpipe.StochasticBeam.v1.n_samples: expected at most the number of symbols (5), "
                "got 6. Lower n_samples."
            ),
        ),
        (
            "Beam",
            {"beam_size": 3, "n_best": 4},
            (
                "rnnpipe.Beam.v1.n_best: expected at most beam_size (3), got 4. "
                "Raise beam_size or lower n_best."
            ),
        ),
        (
            "Beam",
            {"alpha": 0.6},
            (
                "rnnpipe.Beam.v1.alpha: expected no value with this length_penalty, got 0.6. "
                "Remove alpha or set length_penalty to 'gnmt'."
            ),
        ),
        (
            "Beam",
            {"length_penalty": "wu"},
            "rnnpipe.Beam.v1.length_penalty: expected one of 'none', 'average', 'gnmt', got 'wu'.",
        ),
        (
            "DiverseBeam",
            {"min_length": 5, "max_length": 4},
            (
                "rnnpipe.DiverseBeam.v1.min_length: expected at most max_length (4), got 5. "
                "Lower min_length or raise max_length."
            ),
        ),
    ],
)
def test_bad_settings(name, values, message):
    with pytest.raises(ConfigError) as caught:
        generator(name, **values)
    assert str(caught.value) == message


def test_coverage_of_a_model_without_attention():
    with pytest.raises(ConfigError) as caught:
        generator(coverage_penalty=0.1).generate(Markov(5), START)
    assert str(caught.value) == (
        "rnnpipe.Beam.v1.coverage_penalty: expected a model with attention, got no coverage from "
        "Markov. Set coverage_penalty to 0."
    )


def test_filters_that_leave_nothing():
    once = {"once": filter_named("NoRepeat", n=1)}
    with pytest.raises(ConfigError) as caught:
        generator(filters=once, min_length=9).generate(Markov(5), START)
    assert str(caught.value) == (
        "rnnpipe.Beam.v1: expected at least one allowed next symbol, got none after 4 "
        "symbols under once, min_length. Relax one of them."
    )
