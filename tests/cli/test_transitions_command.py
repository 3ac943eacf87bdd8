"""``spacy rnn transitions``"""

import json

from helpers.commands import colours, fails, works

from rnnpipe.cli.pictures import readings


def test_transitions_in_numbers_and_a_picture(models, tmp_path):
    found = json.loads(works("transitions", models / "ner", "--json"))
    table = works("transitions", models / "ner", "--output", tmp_path / "t.png")
    assert " ".join(table.split()).startswith(
        "Scores from row to column, in nats; ×: forbidden O B-"
    )
    (row,) = (line.split() for line in table.splitlines() if line.startswith("O "))
    scores = [*found["transitions"][found["labels"].index("O")], found["end"][0]]
    assert row[1:] == ["×" if score is None else f"{score:+.1f}" for score in scores]
    assert " ".join(readings.TRANSITIONS.split()) in " ".join(table.split())
    assert colours(tmp_path / "t.png") > 50


def test_where_there_is_no_room_the_most_and_least_likely_are_listed(models):
    text = works("transitions", models / "ner", env={"COLUMNS": "30"})
    assert "Likely" in text
    assert "start" in text


def test_transitions_where_there_are_none(models):
    assert "expected one component that labels tokens" in fails("transitions", models / "cat")
