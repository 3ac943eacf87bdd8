"""``spacy rnn curves``"""

import json

import numpy as np
import pytest
from helpers.commands import colours, fails, works

from rnnpipe.cli.pictures.appearance import sparkline
from rnnpipe.instruments.training_log import read_training_log


def record(step, loss, score, **more):
    scores = {"ents_f": 100 * score}
    return {"step": step, "losses": {"ner": loss}, "scores": scores, "score": score, **more}


def gradients(norm):
    return {
        "gradients": {
            "ner": {"norm": norm, "largest": 2 * norm, "clipped": 0.5, "learn_rate": 0.25}
        }
    }


SPACYS = [record(0, 8.0, 0.1), record(2, 8.0, 0.7), record(4, 4.0, 0.5)]
OURS = [{**r, **gradients(n)} for r, n in zip(SPACYS, (3.0, 2.0, 1.0), strict=True)]


@pytest.fixture
def log(tmp_path):
    def write(records, end=""):
        path = tmp_path / "log.jsonl"
        path.write_text("".join(json.dumps(r) + "\n" for r in records) + end)
        return path

    return write


def test_losses_are_per_step(log):
    read = read_training_log(log(OURS))
    assert read.steps.tolist() == [0, 2, 4]
    assert read.losses["ner"].tolist() == [8.0, 4.0, 2.0]
    assert read.scores["ents_f"].tolist() == [10.0, 70.0, 50.0]
    assert read.norms["ner"].tolist() == [3.0, 2.0, 1.0]
    assert read.largest["ner"].tolist() == [6.0, 4.0, 2.0]
    assert read.clipped["ner"].tolist() == [0.5] * 3
    assert read.learn_rates["ner"].tolist() == [0.25] * 3
    assert not read.cut


def test_a_table(log):
    table = " ".join(works("curves", log(OURS)).split())
    assert "Steps 0 to 4, best score at step 2 Curve First Last Least Most" in table
    assert "Loss ner 8 2 2 8 █▃▁ ents_f 10 50 10 70 ▁█▆ score 0.1 0.5 0.1 0.7 ▁█▆" in table
    assert "Gradient norm ner 3 1 1 3 █▅▁ Learning rate ner 0.25 0.25 0.25 0.25 ▁▁▁" in table


def test_a_picture(log, tmp_path):
    pictures = []
    for name, records in (("spacys", SPACYS), ("ours", OURS)):
        path = tmp_path / f"{name}.png"
        works("curves", log(records), "--output", path)
        assert colours(path) > 20
        pictures.append(path.stat().st_size)
    assert pictures[1] > pictures[0]  # two more panels


def test_a_picture_is_not_overwritten(log, tmp_path):
    path = tmp_path / "curves.svg"
    path.write_text("precious")
    error = fails("curves", log(SPACYS), "-o", path)
    assert error == (
        f"Error: output {path}: expected a new file, got 'an existing file'. Choose another "
        "path, or pass --force."
    )
    assert path.read_text() == "precious"
    works("curves", log(SPACYS), "-o", path, "--force")
    assert "<svg" in path.read_text()


def test_a_picture_that_cannot_be(log, tmp_path):
    folder = tmp_path / "folder.png"
    folder.mkdir()
    error = fails("curves", log(SPACYS), "-o", folder, "--force")
    assert error.endswith("expected a new file, got 'a folder'. Choose another path.")
    assert "ends in .png or .svg" in fails("curves", log(SPACYS), "-o", "curves.pdf")


def test_a_log_that_was_cut_in_its_last_line(log):
    path = log(SPACYS, end='{"step": 6, "lo')
    assert read_training_log(path).cut
    assert read_training_log(path).steps.tolist() == [0, 2, 4]
    assert "Steps 0 to 4" in works("curves", path)


def test_a_component_that_comes_and_goes(log):
    read = read_training_log(log([SPACYS[0], OURS[1]]))
    assert np.isnan(read.norms["ner"][0])
    assert read.norms["ner"][1] == 2.0


@pytest.mark.parametrize("text", ["what is this", "[1]", '{"step": 1}', '{"step": 6, "lo'])
def test_what_is_no_log(tmp_path, text):
    path = tmp_path / "log.jsonl"
    path.write_text(f"{json.dumps(SPACYS[0])}\n{text}\n{json.dumps(SPACYS[1])}\n")
    error = fails("curves", path)
    assert error.startswith(f"Error: {path}:2: expected a line of JSON with step, losses, scores")
    assert "Pass the file that training.logger.path (or output_file) sets." in error


def test_no_log(tmp_path):
    path = tmp_path / "log.jsonl"
    assert "expected a text file, got no such file" in fails("curves", path)
    path.write_text("\n")
    assert "expected a line of JSON with step, losses, scores and score, got no" in fails(
        "curves", path
    )


def test_a_sparkline():
    assert sparkline(np.array([0.0, np.nan, 3.5, 7.0, np.inf])) == "▁ ▅█ "
    assert sparkline(np.array([np.nan])) == " "
    assert sparkline(np.array([2.0, 2.0])) == "▁▁"
