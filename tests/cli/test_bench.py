"""``spacy rnn bench``"""

import json

import numpy as np
import pytest
import spacy
from helpers.commands import fails, works
from helpers.small_pipelines import CATS
from spacy.tokens import DocBin
from spacy.training import Example

from rnnpipe.cli.config_check import made_up_examples
from rnnpipe.cli.config_choices import Choices, config_for
from rnnpipe.cli.config_text import shipped_config
from rnnpipe.instruments.speed import Speed, peak_memory, prediction_speed, training_speed, up_to

FEW = ["--rounds", 2, "--words", 8]


@pytest.fixture
def gold(tmp_path):
    """Documents in spaCy's format; each has two words."""

    def write(n):
        nlp, path = spacy.blank("en"), tmp_path / "gold.spacy"
        docs = [eg.reference for _ in range(n // 2) for eg in made_up_examples(nlp)]
        DocBin(docs=docs).to_disk(path)
        return path

    return write


def roses_and_skies():
    """What the pipeline ``cat`` has learnt from: four documents of three words."""
    nlp = spacy.blank("en")
    for text, category in CATS.items():
        cats = {c: float(c == category) for c in ("rose", "sky")}
        yield Example.from_dict(nlp.make_doc(text), {"cats": cats})


class Ticks:
    """A clock that a second look finds a second later, then two, then three, ..."""

    def __init__(self):
        self.now, self.looks = 0.0, 0

    def __call__(self):
        self.looks += 1
        self.now += self.looks // 2
        return self.now


def test_rounds_have_documents_of_their_own():
    nlp = spacy.blank("en")
    docs = [nlp.make_doc("a " * n) for n in range(1, 7)]
    speed = prediction_speed(nlp, docs, 2, Ticks())
    # Every third document, without the first, fourth, ...; between two looks pass 2 and 3 seconds.
    assert speed == Speed([2 + 5, 3 + 6], [2.0, 3.0])
    assert speed.rates == [3.5, 3.0]
    assert speed.median == 3.25
    assert speed.spread == pytest.approx(0.5 / 3.25)


def test_every_batch_is_learnt_from_once():
    examples = made_up_examples(spacy.blank("en"))
    batches, seen = [[eg] for eg in examples * 3], []
    speed = training_speed(batches, seen.append, 2)
    assert sorted(map(id, seen)) == sorted(map(id, batches))
    assert speed.words == [4, 4]


def test_no_more_than_is_needed_is_read():
    items = iter([3, 3, 3, 3])
    assert up_to(items, 5, int) == [3, 3]
    assert list(items) == [3, 3]
    assert up_to([1], 5, int) == [1]
    assert up_to([9, 9, 9, 9], 5, int, least=3) == [9, 9, 9]


def test_a_document_without_words_counts_as_one(tmp_path):
    path, images = tmp_path / "grey.npz", np.random.default_rng(0).integers(17, size=(200, 8, 8))
    np.savez(path, images=images.astype(np.uint8), target=np.arange(200) % 2)
    arguments = [shipped_config("digits"), "--paths.train", path, "--paths.dev", path, *FEW]
    got = json.loads(works("bench", *arguments, "--training.batcher.size", 4, "--json"))
    assert (got["training"]["words"], got["prediction"]["words"]) == ([8, 8], [8, 8])


def test_a_config(gold, tmp_path):
    path, config = gold(40), tmp_path / "my.cfg"
    config.write_text(config_for(Choices("ner", None, {}, "small", False, None, None), "my.cfg"))
    arguments = [config, "--paths.train", path, "--paths.dev", path, *FEW]
    arguments += ["--training.batcher.size", 4]
    got = json.loads(works("bench", *arguments, "--json"))
    for name in ("training", "prediction"):
        assert len(got[name]["words"]) == len(got[name]["seconds"]) == 2
        assert got[name]["slowest"] <= got[name]["words_per_second"] <= got[name]["fastest"]
    assert got["prediction"]["words"] == [8, 8]
    assert (got["device"], got["peak_bytes"] > 1_000_000) == ("the CPU", True)
    table = " ".join(works("bench", *arguments, env={"COLUMNS": "200"}).split())
    assert "Words per second Slowest Fastest Rounds Words per round training" in table
    assert "On the CPU, torch with 1 threads, peak memory" in table
    assert "MiB" in table


def test_a_pipeline(models, text_file, tmp_path):
    lines = text_file("the rose is red\n" * 12)
    got = json.loads(works("bench", models / "cat", "--data", lines, *FEW, "--json"))
    assert got["prediction"]["words"] == [8, 8]
    assert "training" not in got
    path = tmp_path / "gold.spacy"
    DocBin(docs=[eg.reference for _ in range(5) for eg in roses_and_skies()]).to_disk(path)
    before = spacy.load(models / "cat").to_bytes()
    got = json.loads(works("bench", models / "cat", "--data", path, *FEW, "--json"))
    assert got["training"]["words"] == [60, 60]  # one batch holds all, and is learnt from again
    assert spacy.load(models / "cat").to_bytes() == before


def test_too_little_data(models, text_file):
    error = fails("bench", models / "cat", "--data", text_file("a rose\n" * 5))
    assert error == (
        "Error: bench: expected at least 6 documents, got 5. Pass more data, or lower --rounds."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["MODEL"], "--data: expected a data file, got no file. Pass a text file, or a .spacy"),
        (["MODEL", "--data", "gone.txt"], "gone.txt: expected a text file, got no such file."),
        (["MODEL", "--data", "gone.spacy"], "gone.spacy"),
        (["gone", "--data", "gone.txt"], "MODEL: expected the folder of a trained pipeline, or "),
        (["gone.cfg"], "MODEL: expected the folder of a trained pipeline, or the name of an"),
    ],
)
def test_what_cannot_be(models, arguments, message):
    arguments = [models / "cat" if a == "MODEL" else a for a in arguments]
    assert message in fails("bench", *arguments)


def test_peak_memory_is_in_bytes():
    assert 2**26 < peak_memory() < 2**40  # Python with torch takes more than 64 MiB
