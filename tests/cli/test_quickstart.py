import subprocess
import sys

import pytest
import spacy
import torch
from spacy.cli._util import app as spacy_app
from spacy.cli.train import train
from spacy.util import registry
from typer.testing import CliRunner

from rnnpipe.cli import app
from rnnpipe.cli.quickstart import quickstart
from rnnpipe.errors import SettingsError
from rnnpipe.training.corpora import sample

FILES = {"train.spacy", "dev.spacy", "test.spacy", "model-best", "model-last"}


@pytest.fixture
def quick(monkeypatch):
    """A run of seconds: a few sentences, a few steps."""
    torch.set_num_threads(1)

    def few_steps(config, output, *, overrides):
        steps = {"training.max_steps": 10, "training.eval_frequency": 10}
        train(config, output, overrides={**overrides, **steps})

    monkeypatch.setattr("spacy.cli.train.train", few_steps)
    monkeypatch.setattr(sample, "SIZES", {"train": 80, "dev": 20, "test": 20})


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_pipeline_is_trained_scored_shown_and_left_on_disk(quick, tmp_path, capsys):
    output = tmp_path / "new" / "here"
    quickstart(output)
    assert names(output) == FILES
    assert names(output.parent) == {"here"}
    nlp = spacy.load(output / "model-best")
    assert nlp.config["paths"]["train"] == str(output / "train.spacy")
    doc = nlp("play something by Otis Hale")
    assert set(doc.cats) == set(sample.PATTERNS)
    assert set(nlp.get_pipe("ner").labels) <= set(sample.NAMES)
    printed = " ".join(capsys.readouterr().out.split())
    assert "not real data" in printed
    for header in ("ENTS_F", "CATS_SCORE", "NER F", "TEXTCAT", "the sentence"):
        assert header in printed
    assert f"spacy.load('{output / 'model-best'}')" in printed


def test_files_are_not_overwritten(quick, tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(SettingsError) as error:
        quickstart(tmp_path)
    assert str(error.value) == (
        f"quickstart {tmp_path}: expected a new or empty folder, got 'a folder with files'. "
        "Choose another folder, or pass --force to replace the files of an earlier run."
    )
    assert names(tmp_path) == {"mine.txt"}


def test_force_replaces_an_earlier_run_and_nothing_else(quick, tmp_path):
    output = tmp_path / "out"
    (output / "model-best" / "old").mkdir(parents=True)
    (output / "mine.txt").write_text("precious")
    quickstart(output, force=True)
    assert names(output) == FILES | {"mine.txt"}
    assert (output / "mine.txt").read_text() == "precious"
    assert not (output / "model-best" / "old").exists()


def test_a_file_is_in_the_way(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(SettingsError, match="out: expected a folder, got 'a file'. Choose another"):
        quickstart(tmp_path / "out", force=True)
    with pytest.raises(SettingsError, match="below: expected a writable path, got 'F"):
        quickstart(tmp_path / "out" / "below")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_an_interrupted_run_leaves_nothing(tmp_path, monkeypatch, interruption):
    def stop(*args, **kwargs):
        raise interruption

    monkeypatch.setattr("spacy.cli.train.train", stop)
    with pytest.raises(interruption):
        quickstart(tmp_path / "out")
    assert names(tmp_path) == set()


def test_the_command_says_what_is_wrong_without_a_traceback(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    result = CliRunner().invoke(app, ["quickstart", str(tmp_path)])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)


def says_what_it_does(text):
    return "Train a pipeline on a small sample data set" in text and "--force" in text


def test_it_is_a_command_of_the_package():
    arguments = [sys.executable, "-m", "rnnpipe", "quickstart", "--help"]
    assert says_what_it_does(
        subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    )


def test_it_is_a_command_of_spacys():
    registry.cli.get_all()  # as every command of spaCy begins
    assert says_what_it_does(CliRunner().invoke(spacy_app, ["rnn", "quickstart", "--help"]).stdout)
