"""``spacy rnn exposure-bias``, ``loss`` and ``attention``"""

import json
from xml.etree import ElementTree

import pytest
from helpers.commands import colours, fails, works
from helpers.small_pipelines import TEXT

SMALL = ["--prompts", 3, "--prompt-length", 5, "--length", 8, "--ranges", 2, "--order", 2]


def test_exposure_bias_in_numbers_and_a_picture(models, text_file, tmp_path):
    path = text_file(TEXT * 3)
    command = ["exposure-bias", models / "characters", path, *SMALL]
    got = json.loads(works(*command, "--json"))
    assert got["distances"] == [2.5, 6.5]
    table = " ".join(works(*command, "--output", tmp_path / "gap.png").split())
    assert "Distance H, real F, own Q, real W, own gap W-Q" in table
    names = ("teacher_forced", "free_running", "judge_real", "judge_written", "gap")
    assert " ".join(["2.5", *(f"{got[name][0]:.3f}" for name in names)]) in table
    assert f"The gap grows by {got['gap_growth']:+.3f} from the first to the last quarter" in table
    assert colours(tmp_path / "gap.png") > 50
    short = fails(*command, "--limit", 30)
    assert short.startswith(f"Error: {path}: expected at least 78 symbols")


def test_loss_of_a_text(models, tmp_path):
    page = tmp_path / "new" / "loss.html"
    options = ["--text", "the <rose>", "--cell", "1:3", "--output", page]
    plain = works("loss", models / "characters", *options)
    assert plain.count("the <rose>") == 3  # loss, h and c
    assert "Unit 1:3 (layer:unit), h: blue -1, white 0, red 1" in plain
    assert "Most surprising" in plain
    html = page.read_text(encoding="utf-8").removeprefix("<!DOCTYPE html>")
    root = ElementTree.fromstring(html)
    texts = ["".join(x.itertext()) for x in root.iter("div") if x.get("class") == "text"]
    assert texts == ["the <rose>"] * 3
    assert root.find("head/title").text == f"Loss of {models.folder.name}/characters on a text"


def test_loss_of_the_beginning_of_a_file(models, text_file):
    shown = works("loss", models / "words", text_file(TEXT), "--limit", 16)
    assert "the rose is red," in shown
    assert "the sky" not in shown
    assert "5 pieces" in shown


def test_loss_is_coloured_where_there_are_colours(models):
    environment = {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "TERM": "xterm-256color"}
    text = works("loss", models / "characters", "--text", "zz", env=environment)
    assert "\x1b[30;48;2;" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Error: loss: expected either FILE or --text, got no text. Pass one of the two."),
        (["FILE", "--text", "a"], "Error: loss: expected either FILE or --text, got 'both'. Pass"),
        (
            ["--text", ""],
            "Error: --text: expected some text, got no text. Pass at least one character.",
        ),
        (
            ["--text", "\udcff"],
            "Error: --text: expected text, got '\\udcff'. Convert it to the enc",
        ),
        (["--text", "a", "--cell", "0"], "Error: cell: expected LAYER:UNIT, such as 0:17, got '0'"),
        (["--text", "a", "--cell", "0:99"], "Error: cell: expected a unit from 0 to 15 of layer 0"),
        (["--text", "a", "--output", "a.png"], "Error: output: expected a file name that ends in"),
    ],
)
def test_loss_of_what_cannot_be(models, text_file, options, message):
    path = text_file(TEXT)
    options = [path if option == "FILE" else option for option in options]
    assert fails("loss", models / "characters", *options).startswith(message)


@pytest.mark.parametrize(("model", "text"), [("cat", "a red rose"), ("spell", "abc")])
def test_attention(models, tmp_path, model, text):
    path = tmp_path / "heat.png"
    shown = works("attention", models / model, text, "--output", path)
    assert shown.startswith(f"Attention of '{model}'")
    assert f"{text}  (" in shown
    assert colours(path) > 50


@pytest.mark.parametrize(("model", "text"), [("cat", "a <red> rose"), ("spell", "a<b")])
def test_attention_over_a_text_as_a_page_and_in_numbers(models, tmp_path, model, text):
    path = tmp_path / "heat.html"
    works("attention", models / model, text, "--output", path)
    html = path.read_text(encoding="utf-8").removeprefix("<!DOCTYPE html>")
    (shown,) = (x for x in ElementTree.fromstring(html).iter("div") if x.get("class") == "text")
    lines = "".join(shown.itertext()).splitlines()
    assert lines
    assert all(line.endswith(text) for line in lines)
    found = json.loads(works("attention", models / model, text, "--json"))
    assert "".join(found["columns"]) == text
    titles = [float(x.get("title").split()[0]) for x in shown.iter("span")]
    assert titles == pytest.approx([v for row in found["shares"] for v in row], abs=6e-4)


def test_attention_where_there_is_none(models, tmp_path):
    path = tmp_path / "heat.png"
    assert "got 'MaxPooler'" in fails("attention", models / "max", "a", "--output", path)
    assert "got no such component (available: lm (rnn_lm))" in fails(
        "attention", models / "characters", "a", "--output", path
    )
    assert "TEXT: expected text" in fails("attention", models / "cat", "\udcff", "-o", path)
    assert not path.exists()


def test_a_picture_that_cannot_be_is_refused_first(models, tmp_path):
    for command in (["attention", "gone", "text"], ["exposure-bias", "gone", "gone.txt"]):
        error = fails(*command, "--output", tmp_path / "heat.jpg")
        assert "expected a file name that ends in .png or .svg" in error


def test_nothing_is_overwritten_unasked(models, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("precious")
    command = ["loss", models / "characters", "--text", "rose", "--output", page]
    assert "expected a new file, got 'an existing file'. Choose another" in fails(*command)
    assert page.read_text() == "precious"
    works(*command, "--force")
    assert "<html" in page.read_text()
    (tmp_path / "heat.png").write_text("precious")
    for rest in (["attention", models / "cat", "a"], ["exposure-bias", models / "cat", "a.txt"]):
        assert "heat.png: expected a new file" in fails(*rest, "-o", tmp_path / "heat.png")
    assert "expected a writable path" in fails(*command[:-1], page / "page.html")
