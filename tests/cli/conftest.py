"""Trained pipelines on disk, as the commands are given them."""

import pytest
import spacy
from helpers.small_pipelines import entity_recognizer, language_model, text_classifier, translator


def two_language_models():
    nlp = spacy.blank("en")
    nlp.add_pipe("lm", source=language_model())
    nlp.add_pipe("lm", name="other", source=language_model("words"))
    return nlp


PIPELINES = {
    "characters": language_model,
    "words": lambda: language_model("words"),
    "ends": lambda: language_model(end_symbol=True),
    "backward": lambda: language_model(backward=True),
    "two": two_language_models,
    "cat": text_classifier,
    "max": lambda: text_classifier("Max"),
    "spell": translator,
    "ner": entity_recognizer,
    "blank": lambda: spacy.blank("en"),
}


class Models:
    """A folder of pipelines, each of which is trained and saved when a test first asks for it."""

    def __init__(self, folder):
        self.folder = folder

    def __truediv__(self, name):
        path = self.folder / name
        if not path.exists():
            PIPELINES[name]().to_disk(path)
        return path


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    return Models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def text_file(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "text.txt"
        path.write_bytes(text.encode(encoding))
        return path

    return write
