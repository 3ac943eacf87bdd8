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
    assert [curve["name"] for curve in curves] == [
        f"{models.folder.name}/characters:lm, trained",
        "RNN, fresh",
        "GRU, fresh",
    ]
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
        ("cat", ["cat:cat, trained, forward", "cat:cat, trained, backward", "BiMGU, fresh, for"]),
        ("ner", ["ner:ner, trained, forward", "ner:ner, trained, backward", "BiMGU, fresh, for"]),
    ],
)
def test_networks_over_tokens(models, model, names):
    options = ["--text", TEXT, "--encoders", "rnnpipe.BiMGU.v1", "--json"]
    curves = json.loads(works("gradients", models / model, *SMALL, *options))["curves"]
    found = [curve["name"].removeprefix(f"{models.folder.name}/") for curve in curves]
    assert all(name.startswith(begin) for name, begin in zip(found, names, strict=False))


def test_several_trained_models_and_untrained_ones_with_settings(models):
    options = ["--text", TEXT, "--encoders", "GRU:update_bias=4:reset=before"]
    compared = ["--compare", models / "words", "--compare", f"{models / 'two'}:other"]
    command = ["gradients", models / "characters", *SMALL, *options, *compared]
    curves = json.loads(works(*command, "--json"))["curves"]
    folder = models.folder.name
    assert [curve["name"] for curve in curves] == [
        f"{folder}/characters:lm, trained",
        f"{folder}/words:lm, trained",
        f"{folder}/two:other, trained",
        "GRU update_bias=4 reset=before, fresh",
    ]
    assert curves[1]["norm"] == pytest.approx(curves[2]["norm"])
    assert curves[3]["per_step"] > 0.9
    assert curves[3]["lag_of_half"] is None
    table = works(*command, env={"COLUMNS": "120"})
    assert "g(4) per step half 1 %" in " ".join(table.split())
    (row,) = (line.split() for line in table.splitlines() if "reset=before" in line)
    assert row[-5:] == [f"{curves[3]['per_step']:.3f}", ">", "4", ">", "4"]
    assert "the further back the network learns" in " ".join(table.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Error: gradients: expected either FILE or --text, got no text. Pass one of the two."),
        (
            ["--text", "a"],
            "Error: --text: expected at least 8 symbols or tokens, twice the number of lags",
        ),
        (["--text", TEXT, "--encoders", "LSTN"], "Error: --encoders: expected a name of @rnnpipe_"),
        (["--text", TEXT, "--encoders", "GRU:4"], "Error: --encoders: expected NAME or NAME:SETT"),
        (["--text", TEXT, "--encoders", "GRU:bias=4"], "Error: rnnpipe.GRU.v1.bias: expected a se"),
        (["--text", TEXT, "--compare", "gone:lm"], "Error: MODEL: expected the folder of a trai"),
        (["--text", TEXT, "--encoders", "TreeGRU"], "Error: TreeGRU, fresh: expected an encoder"),
        (["--text", TEXT, "--output", "a.gif"], "Error: output: expected a file name that ends in"),
    ],
)
def test_gradients_of_what_cannot_be(models, options, message):
    assert fails("gradients", models / "characters", *SMALL, *options).startswith(message)


def test_a_pipeline_without_an_encoder(models):
    error = fails("gradients", models / "blank", "--text", "a")
    assert "expected one component with an encoder (rnn_lm, rnn_tagger, rnn_ner" in error
