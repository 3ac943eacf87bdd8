"""A trace as a page and in the terminal."""

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import (
    BLUE,
    RED,
    WHITE,
    activation_colours,
    blend,
    css,
    loss_colours,
    visible,
)
from rnnpipe.cli.pictures.trace_html import html_page
from rnnpipe.cli.pictures.trace_terminal import print_trace
from rnnpipe.instruments.trace import Cell, Trace

PIECES = ["a", "<", "&", '"', "\n", "\t", "\x1b", "\x00", "\ud800", " ", "é", "{x}", "[red]"]
NATS = np.linspace(0.0, 4.0, len(PIECES))
TRACE = Trace(
    PIECES,
    NATS,
    guess=4.0,
    cell=Cell(0, 17),
    activations={"h": np.linspace(-1, 1, 13), "c": np.linspace(-3, 3, 13)},
)
SHOWN = 'a<&"↵\n⇥\t\\x1b\\x00\\ud800 é{x}[red]'


def test_colours():
    assert blend(RED, 0.0) == blend(RED, -1.0) == blend(RED, float("nan")) == WHITE
    assert blend(RED, 1.0) == blend(RED, 9.0) == RED
    assert loss_colours(np.array([0.0, 2.0, 4.0, 8.0]), 4.0) == [WHITE, blend(RED, 0.5), RED, RED]
    assert activation_colours(np.array([-1.0, 0.0, 0.5])) == [BLUE, WHITE, blend(RED, 0.5)]
    assert activation_colours(np.array([-9.0, 0.0, 9.0])) == [BLUE, WHITE, RED]
    assert css((1, 171, 255)) == "#01abff"


def test_what_does_not_print_is_spelt_out():
    assert visible("".join(PIECES)) == SHOWN


@pytest.fixture(scope="module")
def page():
    html = html_page(TRACE, "Loss of <it>")
    html.encode("utf-8")
    return ElementTree.fromstring(html.removeprefix("<!DOCTYPE html>"))  # well-formed, or it raises


def test_the_page_has_the_text_in_every_section(page):
    texts = ["".join(x.itertext()) for x in page.iter("div") if x.get("class") == "text"]
    assert texts == [SHOWN] * 3
    assert [h.text for h in page.iter("h2")] == [
        "Loss",
        "Unit 0:17 (layer:unit), h",
        "Unit 0:17 (layer:unit), tanh(c)",
    ]
    assert page.find("head/title").text == page.find("body/h1").text == "Loss of <it>"
    assert page.find("body/p").text == (
        f"2.000 nats per piece, 13 pieces. {readings.LOSS} Point at a piece to see its value."
    )


def test_the_page_has_each_number_and_its_colour(page):
    loss, h, _ = [x for x in page.iter("div") if x.get("class") == "text"]
    assert [span.get("title") for span in loss] == [f"{n:.3f} nats" for n in NATS]
    assert [span.get("style") for span in loss] == [
        f"background: {css(c)}" for c in loss_colours(NATS, 4.0)
    ]
    assert h[0].get("title") == "-1.000 h"
    assert h[0].get("style") == f"background: {css(BLUE)}"


def test_the_page_needs_nothing_else(page):
    assert not list(page.iter("script")) + list(page.iter("link")) + list(page.iter("img"))


def printed(trace, **settings):
    out = io.StringIO()
    print_trace(trace, Console(file=out, width=100, **settings))
    return out.getvalue()


def test_the_terminal_is_coloured():
    text = printed(TRACE, force_terminal=True, color_system="truecolor")
    assert "\x1b[30;48;2;255;255;255ma\x1b[0m" in text  # certain: on white
    assert "\x1b[30;48;2;240;80;60m[red]\x1b[0m" in text  # a blind guess: on red
    assert "\x1b[30;48;2;90;140;245ma\x1b[0m" in text  # activation -1: on blue
    assert not re.search("\x1b(?!\\[[0-9;]*m)", text)  # the text's own escape is spelt out


def test_the_terminal_without_colours():
    text = printed(TRACE)
    assert "\x1b" not in text
    for line in (
        "Loss: white 0 nats, red 4.00 (a random guess) and above",
        "Unit 0:17 (layer:unit), h: blue -1, white 0, red 1",
        "Unit 0:17 (layer:unit), tanh(c): blue -1, white 0, red 1",
        "2.000 nats per piece, 13 pieces",
    ):
        assert line in text
    worst = text.split("Most surprising")[1].splitlines()[2].split()
    assert worst[:3] == ["4.00", "0.018", "'[red]'"]
