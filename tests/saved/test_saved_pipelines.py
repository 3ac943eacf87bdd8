"""Pipelines that earlier versions saved load, and answer as they did: see README.md."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest
import spacy
from helpers.saved_documents import answers, differences
from thinc.api import Config

STORED = sorted(Path(__file__).parent.glob("*/*.zip"))
#: Packages that a pipeline cannot be loaded without.
NEEDS = {"subwords": "tokenizers"}


@pytest.mark.parametrize("packed", STORED, ids=lambda path: f"{path.parent.name}-{path.stem}")
# Another version of spaCy than it was saved with.
@pytest.mark.filterwarnings(r"ignore:\[W095\]")
def test_a_saved_pipeline_answers_as_it_did(packed, tmp_path):
    package = NEEDS.get(packed.stem)
    if package and not find_spec(package):
        pytest.skip(f"needs the package {package}")
    shutil.unpack_archive(packed, tmp_path / "saved")
    asked = json.loads(packed.with_suffix(".json").read_text(encoding="utf8"))
    nlp = spacy.load(tmp_path / "saved")
    assert list(differences(answers(nlp, asked), asked["answers"])) == []
    nlp.to_disk(tmp_path / "again")
    again = spacy.load(tmp_path / "again")
    assert list(differences(answers(again, asked), asked["answers"])) == []


def test_every_component_is_stored():
    stored = set()
    for packed in STORED:
        with ZipFile(packed) as files:
            config = Config().from_bytes(files.read("config.cfg"), interpolate=False)
        stored |= {component["factory"] for component in config["components"].values()}
    ours = {name for name in spacy.blank("xx").factory_names if name.startswith("rnn_")}
    assert ours and ours <= stored


def test_differences_are_found():
    want = {"tags": ["a", "b"], "probability": 0.5, "text": None}
    got = {"tags": ["a", "c"], "probability": 0.5002, "text": None}
    assert list(differences(got, want)) == [
        ".tags[1]: expected 'b', got 'c'",
        ".probability: expected 0.5, got 0.5002",
    ]
    assert list(differences({**want, "probability": 0.50001}, want)) == []
    assert list(differences(["a"], ["a", "b"])) == [": expected ['a', 'b'], got ['a']"]
