"""Pictures are there, whole, and show something."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.image import imread

from rnnpipe.cli.files import replaced
from rnnpipe.cli.pictures import pictures
from rnnpipe.cli.pictures.attention_picture import draw_attention
from rnnpipe.cli.pictures.exposure_picture import draw_exposure_bias
from rnnpipe.cli.pictures.pictures import picture, require_picture
from rnnpipe.errors import SettingsError
from rnnpipe.instruments.attention import Attention
from rnnpipe.instruments.exposure_bias import Curve, ExposureBias

ATTENTION = Attention(
    shares=np.array([[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]]),
    rows=["un", "$x_1$"],
    columns=["a", "$ 5 and $", "\n"],
    row_title="Target",
    column_title="Source",
    title="Attention of '$seq$'",
)


def curve(*mean):
    return Curve(np.array(mean), np.full(len(mean), 0.1))


BIAS = ExposureBias(
    distances=np.array([1.0, 2.0, 3.0]),
    teacher_forced=curve(1.0, 1.1, 0.9),
    free_running=curve(1.0, 1.3, np.nan),
    real=curve(1.5, 1.4, 1.5),
    written=curve(1.6, 1.9, 2.0),
    n_prompts=5,
    prompt_length=10,
    order=4,
)
DRAWN = {
    "attention": (
        lambda path: draw_attention(ATTENTION, path),
        ["$x_1$", "$ 5 and $", "↵", "Target", "Source", "'$seq$'", "Share of the row"],
    ),
    "exposure": (
        lambda path: draw_exposure_bias(BIAS, path),
        [
            "Exposure bias after 5 prompts of 10 symbols",
            "As the model sees it",
            "As 4-grams of real text see it; the gap grows by +0.40",
            "Distance from the prompt (symbols)",
            "Loss (nats per symbol)",
            "real text (teacher-forced), H",
            "its own text (free-running), F",
        ],
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_png_is_valid_and_not_blank(name, tmp_path):
    path = tmp_path / "new" / "picture.png"
    DRAWN[name][0](path)
    pixels = imread(path)
    assert min(pixels.shape[:2]) > 200
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 50
    assert [p.name for p in path.parent.iterdir()] == ["picture.png"]


@pytest.mark.parametrize("name", DRAWN)
def test_an_svg_is_valid_and_has_every_label(name, tmp_path, monkeypatch):
    import matplotlib as mpl

    monkeypatch.setitem(mpl.rcParams, "svg.fonttype", "none")  # text as text, to be read here
    path = tmp_path / "picture.SVG"
    DRAWN[name][0](path)
    root = ElementTree.parse(path).getroot()
    texts = "\n".join(
        " ".join("".join(t.itertext()).split()) for t in root.iter() if "text" in t.tag
    )
    for label in DRAWN[name][1]:
        assert label in texts


def test_a_text_of_any_length_can_be_drawn(tmp_path):
    many = replace(ATTENTION, shares=np.full((1, 1500), 1 / 1500), rows=["x"], columns=["y"] * 1500)
    draw_attention(many, tmp_path / "long.svg")
    width = ElementTree.parse(tmp_path / "long.svg").getroot().get("width")
    assert width == "4320pt"  # 60 inches


def test_a_name_that_says_no_format(tmp_path):
    with pytest.raises(SettingsError) as error:
        require_picture(tmp_path / "gap.jpg")
    assert str(error.value) == (
        "output: expected a file name that ends in .png or .svg, got 'gap.jpg'. "
        "Choose another path."
    )


def test_without_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    with pytest.raises(SettingsError) as error:
        require_picture(tmp_path / "gap.png")
    assert str(error.value) == (
        "output: expected matplotlib, which draws the picture, got no matplotlib. "
        "Run pip install 'rnnpipe[plots]'."
    )


def test_a_picture_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "gap.png"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), picture(path, (1, 1), "Read it."):
        1 / 0  # noqa: B018
    with pytest.raises(KeyboardInterrupt), replaced(path) as unfinished:
        unfinished.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["gap.png"]
