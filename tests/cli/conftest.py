"""Trained pipelines on disk, as the commands are given them."""

import pytest
import spacy
from small_pipelines import language_model, text_classifier, translator


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder of pipelines: ``characters``, ``words`` and ``ends`` have a language model ``lm``
    each, ``two`` has two, ``backward`` one that reads from the end, ``cat`` and ``max`` a text
    classifier, ``spell`` a translator, ``blank`` nothing."""
    folder = tmp_path_factory.mktemp("models")
    pipelines = {
        "characters": language_model(),
        "words": language_model("words"),
        "ends": language_model(end_symbol=True),
        "cat": text_classifier(),
        "spell": translator(),
        "backward": language_model(backward=True),
        "max": text_classifier("Max"),
        "blank": spacy.blank("en"),
    }
    for name, nlp in pipelines.items():
        nlp.to_disk(folder / name)
    two = spacy.load(folder / "characters")
    two.add_pipe("lm", name="other", source=language_model("words"))
    two.to_disk(folder / "two")
    return folder


@pytest.fixture
def text_file(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "text.txt"
        path.write_bytes(text.encode(encoding))
        return path

    return write
