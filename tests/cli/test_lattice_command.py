"""``spacy rnn lattice``"""

import json

from helpers.commands import fails, works

TEXT = "Ada met him in New York"


def test_a_lattice_in_numbers_and_as_a_page(models, tmp_path):
    found = json.loads(works("lattice", models / "ner", TEXT, "--n-best", 2, "--json"))
    assert found["tokens"] == TEXT.split()
    assert len(found["readings"]) == 2
    page = tmp_path / "new" / "lattice.html"
    shown = " ".join(works("lattice", models / "ner", TEXT, "--output", page).split())
    label = found["readings"][0]["labels"][0]
    share = max(found["marginals"][0])
    assert f"Ada {label} {label} {share:.1%}" in shown
    for entity in found["entities"]:
        assert f"{entity['label']} {entity['probability']:.1%}" in shown
    assert f"The most probable paths: {found['readings'][0]['probability']:.1%}" in shown
    assert "predicts for a text</title>" in page.read_text(encoding="utf-8")


def test_a_lattice_of_what_cannot_be(models, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("precious")
    assert "expected a new file" in fails("lattice", models / "ner", TEXT, "--output", page)
    assert "ends in .html" in fails("lattice", models / "ner", TEXT, "--output", "a.png")
    assert "one component that labels tokens" in fails("lattice", models / "cat", TEXT)
    assert "TEXT: expected text" in fails("lattice", models / "ner", "\udcff")
    assert "expected a text with tokens" in fails("lattice", models / "ner", "")
    assert page.read_text() == "precious"
