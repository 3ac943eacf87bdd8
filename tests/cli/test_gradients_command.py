"""``spacy rnn gradients``"""

import json

import pytest
from helpers.commands import colours, fails, works
from helpers.small_pipelines import TEXT

SMALL = ["--lags", 4, "--places", 3]


def test_gradients_in_numbers_and_a_picture(models, text_file, tmp_path):
    path = text_file(TEXT)
    command = ["gradients", models / "characters", path, *SMALL, "--encoders", "RNN, GRU"]
    curves = json.loads(works(*command, "--json"))["curves"]
    assert [curve["name"] for curve in curves] == ["lm, trained", "RNN, fresh", "GRU, fresh"]
    assert all(len(curve["norm"]) == 4 and min(curve["norm"]) > 0.0 for curve in curves)
    assert curves[1]["largest_singular_value"] == pytest.approx(1.0, rel=1e-4)
    assert curves == json.loads(works(*command, "--json"))["curves"]
    table = works(*command, "--output", tmp_path / "g.png")
    assert "RNN, fresh" in table
    assert f"{curves[1]['norm'][0]:.1e}" in table
    assert colours(tmp_path / "g.png") > 50


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("cat", ["cat, trained, forward", "cat, trained, backward", "BiMGU, fresh, forward"]),
        ("ner", ["ner, trained, forward", "ner, trained, backward", "BiMGU, fresh, forward"]),
    ],
)
def test_networks_over_tokens(models, model, names):
    options = ["--text", TEXT, "--encoders", "rnnpipe.BiMGU.v1", "--json"]
    curves = json.loads(works("gradients", models / model, *SMALL, *options))["curves"]
    assert [curve["name"] for curve in curves][:3] == names


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Error: gradients: expected either FILE or --text, got no text. Give one of the two."),
        (["--text", "a"], "Error: --text: expected at least 8 symbols or tokens, twice the lags"),
        (["--text", TEXT, "--encoders", "LSTN"], "Error: --encoders: expected a name of @rnnpipe_"),
        (["--text", TEXT, "--encoders", "TreeGRU"], "Error: TreeGRU, fresh: expected an encoder"),
        (["--text", TEXT, "--output", "a.gif"], "Error: output: expected a file name that ends in"),
    ],
)
def test_gradients_of_what_cannot_be(models, options, message):
    assert fails("gradients", models / "characters", *SMALL, *options).startswith(message)


def test_a_pipeline_without_an_encoder(models):
    error = fails("gradients", models / "blank", "--text", "a")
    assert "expected one component with an encoder (rnn_lm, rnn_tagger, rnn_ner" in error
