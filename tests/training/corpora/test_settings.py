"""Readers as a config names them."""

import subprocess
import sys

import pytest
from helpers.paths import CONFIGS
from spacy.util import registry
from thinc.api import Config

from rnnpipe.errors import SettingsError

BLOCKS = {
    "rnnpipe.ConllCorpus.v1": {"ner_column": 1},
    "rnnpipe.SlotIntentCorpus.v1": {},
    "rnnpipe.LineCorpus.v1": {"files": {"a": "a.txt"}},
    "rnnpipe.ImageArchive.v1": {},
    "rnnpipe.IdxCorpus.v1": {},
    "rnnpipe.ImageFolder.v1": {},
}


def resolve(name, **settings):
    block = {"@readers": name, **settings}
    return registry.resolve(Config({"corpora": {"dev": block}}))["corpora"]["dev"]


@pytest.mark.parametrize(("name", "settings"), BLOCKS.items())
def test_readers_are_found_by_name(name, settings):
    augmenter = {"@augmenters": "spacy.lower_case.v1", "level": 0.5}
    corpus = resolve(name, path="x", limit=3, augmenter=augmenter, **settings)
    assert (corpus.where, corpus.limit) == ("x", 3)
    assert callable(corpus.augmenter)


@pytest.mark.parametrize(("name", "settings"), BLOCKS.items())
def test_a_path_that_is_not_set(name, settings):
    with pytest.raises(SettingsError) as error:
        resolve(name, path=None, **settings)
    assert str(error.value) == (
        "corpora.dev.path: expected the path of the corpus, got no path. Pass --paths.train and "
        "--paths.dev, or set them under [paths]."
    )


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            "rnnpipe.ConllCorpus.v1",
            {"ner_colum": 1},
            "corpora.dev.ner_colum: expected a setting of rnnpipe.ConllCorpus.v1, got 'ner_colum'.",
        ),
        (
            "rnnpipe.ConllCorpus.v1",
            {"ner_column": 1, "sentences_per_doc": -1},
            "corpora.dev.sentences_per_doc: expected an integer of at least 0, got -1.",
        ),
        (
            "rnnpipe.ConllCorpus.v1",
            {"ner_column": 1, "scheme": "BIOE"},
            "corpora.dev.scheme: expected one of BIO, IOB1, BIOES, BILUO, BMES, IO, got 'BIOE'.",
        ),
        (
            "rnnpipe.LineCorpus.v1",
            {"files": {"a": "a.txt"}, "share": [0.5, 0.1]},
            "corpora.dev.share: expected [from, to] with 0 <= from < to <= 1, got (0.5, 0.1).",
        ),
    ],
)
def test_settings_that_are_wrong(name, settings, message):
    with pytest.raises(SettingsError) as error:
        resolve(name, path="x", **settings)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("name", ["ner", "slots_intents", "textcat"])
def test_a_config_can_be_filled_in_before_its_paths_are_known(name, tmp_path):
    filled = tmp_path / "filled.cfg"
    command = ["-m", "spacy", "init", "fill-config", str(CONFIGS / f"{name}.cfg"), str(filled)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    assert "limit = 0" in filled.read_text()
