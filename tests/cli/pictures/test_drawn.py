"""What pictures draw, as matplotlib has it: their captions, labels, data and scales."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import RED, WHITE, css, score_colour, share_colours
from rnnpipe.cli.pictures.attention_picture import draw_attention
from rnnpipe.cli.pictures.curve_picture import draw_curves
from rnnpipe.cli.pictures.exposure_picture import draw_exposure_bias
from rnnpipe.cli.pictures.gate_picture import draw_gates
from rnnpipe.cli.pictures.gradient_picture import draw_gradients
from rnnpipe.cli.pictures.transition_picture import draw_transitions
from rnnpipe.instruments.attention import Attention
from rnnpipe.instruments.exposure_bias import Curve, ExposureBias
from rnnpipe.instruments.gates import GateUse
from rnnpipe.instruments.gradients import GradientCurve
from rnnpipe.instruments.training_log import TrainingLog
from rnnpipe.instruments.transitions import Transitions

N = 20
EVEN = Attention(np.full((2, N), 1 / N), ["x", "y"], ["a"] * N, "", "", "Attention")
FLAT = Curve(np.array([1.0, 1.01]), np.array([0.1, 0.1]))
BIAS = ExposureBias(np.array([1.0, 2.0]), FLAT, FLAT, FLAT, FLAT, 5, 10, 4)
SCORES = Transitions(["O", "B-X"], np.array([[0.1, -0.1, np.nan], [0.0, 0.05, 0.1], [-5.0] * 3]))
USE = GateUse.of("layer 0", "forget", np.linspace(0.0, 1.0, 40).reshape(20, 2))
LOG = TrainingLog(
    steps=np.array([0, 2]),
    losses={"ner": np.array([2.0, 1.0])},
    scores={"ents_f": np.array([90.0, 90.1])},
    score=np.array([0.900, 0.901]),
    norms={},
    largest={},
    clipped={},
    learn_rates={},
    cut=False,
)


def falling(name, factor):
    norm = factor ** np.arange(1.0, 51.0)
    return GradientCurve(name, norm, norm, norm, None)


CURVES = [falling("rnn/model-best:lm, trained", 0.5), falling("GRU, fresh", 0.98)]
DRAWN = {
    "attention": (draw_attention, (EVEN,), readings.ATTENTION),
    "curves": (draw_curves, (LOG,), readings.CURVES),
    "exposure bias": (draw_exposure_bias, (BIAS,), readings.EXPOSURE_BIAS),
    "gates": (draw_gates, ([USE],), readings.GATES),
    "gradients": (draw_gradients, (CURVES,), readings.GRADIENTS),
    "transitions": (draw_transitions, (SCORES,), readings.TRANSITIONS),
    "types": (draw_transitions, (replace(SCORES, of_types=True),), readings.TRANSITIONS_OF_TYPES),
}


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Draw something without a file, and return the figure."""
    figures = []

    def keep(figure, path, **_):
        figures.append(figure)
        Path(path).touch()

    monkeypatch.setattr(Figure, "savefig", keep)

    def draw(function, *arguments):
        titled = function not in (draw_attention, draw_exposure_bias)
        function(*arguments, tmp_path / "x.png", *(["Title"] if titled else []))
        return figures[-1]

    return draw


@pytest.mark.parametrize("name", DRAWN)
def test_every_picture_says_how_it_is_read(name, drawn):
    function, arguments, reading = DRAWN[name]
    caption = drawn(function, *arguments).get_supxlabel()
    assert " ".join(caption.split()) == reading
    assert caption.count("\n") <= 3


def colours(figure):
    (image,) = figure.axes[0].get_images()
    return [[to_hex(c) for c in row] for row in image.cmap(image.norm(image.get_array()))]


def test_an_even_share_of_attention_is_white_and_ten_times_that_is_red(drawn):
    shares = np.full((2, N), 1 / N)
    shares[1] = 0.5 / (N - 1)
    shares[1, 0] = 0.5  # ten times 1/20
    figure = drawn(draw_attention, replace(EVEN, shares=shares))
    even, peaked = colours(figure)
    assert set(even) == {css(WHITE)}
    assert peaked[0] == css(RED)
    assert share_colours(shares[0]) == [WHITE] * N
    assert share_colours(shares[1])[0] == RED
    bar = figure.axes[1]
    assert bar.get_ylabel() == "Share of the row\n(white: 1/20, an even share)"
    assert [tick.get_text() for tick in bar.get_yticklabels()] == ["≤ 0.1/n", "1/n", "≥ 10/n"]


def test_noise_in_attention_is_pale(drawn):
    noise = np.random.default_rng(0).uniform(0.8, 1.2, (2, N)) / N
    shown = colours(drawn(draw_attention, replace(EVEN, shares=noise)))
    lightest = [
        min(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for row in shown for colour in row
    ]
    assert min(lightest) > 230


def test_transitions_have_signs_and_one_scale_for_all(drawn):
    figure = drawn(draw_transitions, SCORES)
    _, image = figure.axes[0].get_images()
    assert (image.norm.vmin, image.norm.vmax) == (-3.0, 3.0)
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written == ["+0.1", "-0.1", "+0.0", "+0.1", "+0.1", "-5.0", "-5.0", "-5.0"]
    assert (score_colour(0.0), score_colour(9.0)) == (WHITE, RED)


def test_each_gradient_has_a_curve_with_its_name_and_none_presses_the_others(drawn):
    axes = drawn(draw_gradients, CURVES).axes[0]
    _, *lines = axes.get_lines()
    for line, curve in zip(lines, CURVES, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), curve.norm)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "as large as at the start",
        "rnn/model-best:lm, trained, 0.500 per step",
        "GRU, fresh, 0.980 per step",
    ]
    assert axes.get_ylim()[0] == pytest.approx(1e-6)


def test_small_differences_do_not_fill_a_picture(drawn):
    above, below = drawn(draw_exposure_bias, BIAS).axes
    assert above.get_ylim() == below.get_ylim()
    assert np.diff(above.get_ylim()) >= 1.0
    assert np.diff(drawn(draw_curves, LOG).axes[1].get_ylim()) >= 10.0
