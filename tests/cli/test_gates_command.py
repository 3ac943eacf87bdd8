"""``spacy rnn gates``"""

import json

import pytest
from helpers.commands import colours, fails, works
from helpers.small_pipelines import TEXT


def test_gates_in_numbers_and_a_picture(models, text_file, tmp_path):
    command = ["gates", models / "characters", text_file(TEXT)]
    gates = json.loads(works(*command, "--json"))["gates"]
    assert {gate["gate"] for gate in gates} == {"input", "forget", "output"}
    assert {gate["layer"] for gate in gates} == {"layer 0", "layer 1"}
    assert all(len(gate["left"]) == len(gate["right"]) == 16 for gate in gates)
    assert all(sum(gate["histogram"]) == pytest.approx(1.0) for gate in gates)
    table = " ".join(works(*command, "--output", tmp_path / "gates.png").split())
    assert f"over {len(TEXT) + 1} nodes" in table
    assert f"layer 0 forget 16 {gates[0]['mean']:.2f}" in table
    assert colours(tmp_path / "gates.png") > 50


def test_gates_of_a_network_over_tokens(models):
    shown = works("gates", models / "ner", "--text", "so said Ada")
    assert "over 3 nodes" in shown
    assert "layer 0, backward" in shown


def test_gates_of_what_cannot_be(models, tmp_path):
    picture = tmp_path / "gates.png"
    picture.write_text("precious")
    error = fails("gates", models / "cat", "--text", "a", "--output", picture)
    assert "expected a new file" in error
    assert "got 'both'" in fails("gates", models / "cat", picture, "--text", "a")
    assert "one component with an encoder" in fails("gates", models / "spell", "--text", "a")
    assert picture.read_text() == "precious"
