"""The curves are what their equations say."""

import json
import math

import numpy as np
import pytest
from helpers.small_pipelines import TEXT, language_model

from rnnpipe.errors import CorpusError, SettingsError
from rnnpipe.instruments.exposure_bias import Curve, ExposureBias, _curve, exposure_bias
from rnnpipe.instruments.ngram import NGrams
from rnnpipe.instruments.reading import Reader

SETTINGS = {"prompts": 4, "prompt_length": 10, "length": 12, "ranges": 3, "order": 2}
LONG = TEXT * 5


def reader(kind="characters", **settings):
    nlp = language_model(kind, **settings)
    return Reader(nlp, nlp.get_pipe("lm"))


@pytest.fixture(scope="module")
def measured():
    one = reader()
    return one, exposure_bias(one, LONG, where="a.txt", **SETTINGS)


def windows():
    step = len(LONG) // 4
    return [LONG[i * step : i * step + 22] for i in range(4)]


def by_range(rows):
    return np.array(rows).reshape(4, 3, 4).mean(axis=(0, 2))


def test_teacher_forced_is_the_loss_of_the_real_text(measured):
    one, result = measured
    nats = [-one.pipe.predict([one.doc(w)])[0].tokens[10:] for w in windows()]
    np.testing.assert_allclose(result.teacher_forced.mean, by_range(nats), atol=1e-4)
    assert result.distances.tolist() == [2.5, 6.5, 10.5]


def test_free_running_is_the_models_loss_on_what_it_draws(measured):
    one, result = measured
    drawn = [
        one.pipe.generations(one.doc(w[:10]), max_length=12, seed=0, n_samples=4)[i]
        for i, w in enumerate(windows())
    ]
    nats = [[-x for x in text.log_probabilities] for text in drawn]
    np.testing.assert_allclose(result.free_running.mean, by_range(nats), atol=1e-4)
    step, symbols = len(LONG) // 4, one.pipe.symbols
    rest = [LONG[i * step + 22 : (i + 1) * step if i < 3 else None] for i in range(4)]
    judge = NGrams([symbols.encode(x).tolist() for x in rest], 2, len(symbols))
    real = [judge.nats(symbols.encode(w).tolist(), 10) for w in windows()]
    own = [
        judge.nats([*symbols.encode(w[:10]).tolist(), *text.symbols], 10)
        for w, text in zip(windows(), drawn, strict=True)
    ]
    np.testing.assert_allclose(result.real.mean, by_range(real))
    np.testing.assert_allclose(result.written.mean, by_range(own))
    np.testing.assert_allclose(result.gap, by_range(own) - by_range(real))


def test_the_same_seed_gives_the_same_curves(measured):
    one, result = measured
    again = exposure_bias(one, LONG, where="a.txt", **SETTINGS)
    assert again.as_json() == result.as_json()
    other = exposure_bias(one, LONG, where="a.txt", **SETTINGS, seed=9)
    assert other.as_json()["free_running"] != result.as_json()["free_running"]


def test_as_json(measured):
    got = measured[1].as_json()
    assert got["unit"] == "nats per symbol"
    assert (got["prompts"], got["prompt_symbols"], got["judge_order"]) == (4, 10, 2)
    assert len(got["gap"]) == len(got["judge_written_error"]) == 3
    assert got["gap_growth"] == pytest.approx(got["gap"][2] - got["gap"][0])


def test_texts_that_end_early():
    one = reader("words", end_symbol=True)
    settings = {"prompts": 6, "prompt_length": 3, "length": 20, "order": 2}
    result = exposure_bias(one, TEXT * 20, where="a", **settings, ranges=1)
    begins = np.arange(6) * (len(next(one.symbols([TEXT * 20]))) // 6)
    prompts = [one.doc(TEXT * 20)[b : b + 3].as_doc() for b in begins.tolist()]
    drawn = [
        one.pipe.generations(prompt, max_length=20, seed=0, n_samples=6)[i]
        for i, prompt in enumerate(prompts)
    ]
    nats = [-x for text in drawn for x in text.log_probabilities]
    assert 6 < len(nats) < 6 * 20
    np.testing.assert_allclose(result.free_running.mean, [np.mean(nats)], atol=1e-4)


def test_the_error_is_that_of_a_mean_over_prompts():
    rows = np.random.default_rng(0).normal(size=(7, 4))
    curve = _curve(list(rows), np.array([0, 2, 4]))
    means = rows.reshape(7, 2, 2).mean(2)
    np.testing.assert_allclose(curve.mean, means.mean(0))
    np.testing.assert_allclose(curve.error, means.std(0, ddof=1) / math.sqrt(7))


def test_ranges_weigh_every_number_alike_and_may_be_empty():
    curve = _curve([np.array([1.0, 2.0, 3.0]), np.array([4.0])], np.array([0, 2, 4, 6]))
    np.testing.assert_allclose(curve.mean, [7 / 3, 3.0, np.nan])
    assert np.isnan(curve.error[2])


def test_the_gap_grows():
    flat, rising = (Curve(np.array(x), np.zeros(4)) for x in ([1.0] * 4, [1.0, 2.0, 3.0, 4.0]))
    result = ExposureBias(np.arange(4), flat, flat, flat, rising, 1, 1, 1)
    assert result.gap.tolist() == [0, 1, 2, 3]
    assert result.growth == 3.0


def test_distances_that_no_text_reaches():
    real, own = (Curve(np.array(x), np.zeros(3)) for x in ([1.0, 1.0, 1.0], [2.0, 2.5, np.nan]))
    result = ExposureBias(np.arange(3), real, own, real, own, 1, 1, 1)
    assert result.growth == 0.5
    assert result.as_json()["gap"] == [1.0, 1.5, None]
    assert result.as_json()["free_running"] == [2.0, 2.5, None]


def test_no_text_at_all():
    real, own = Curve(np.ones(2), np.zeros(2)), Curve(np.full(2, np.nan), np.full(2, np.nan))
    result = ExposureBias(np.arange(2), real, own, real, own, 1, 1, 1)
    assert math.isnan(result.growth)
    json.dumps(result.as_json(), allow_nan=False)
    assert result.as_json()["gap_growth"] is None


def test_a_text_that_is_too_short():
    with pytest.raises(CorpusError) as error:
        exposure_bias(reader(), TEXT, where="a.txt", **SETTINGS)
    assert str(error.value) == (
        "a.txt: expected at least 176 symbols, twice the length of 4 prompts and continuations, "
        "got "
        f"{len(TEXT)}. Use a longer text, or fewer or shorter prompts and continuations."
    )


def test_more_ranges_than_distances():
    with pytest.raises(SettingsError) as error:
        exposure_bias(reader(), LONG, where="a.txt", **{**SETTINGS, "ranges": 13})
    assert str(error.value) == (
        "ranges: expected at most the length of each continuation (12), got 13. Lower ranges."
    )
