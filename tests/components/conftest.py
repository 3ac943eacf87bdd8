"""What the tests of all components share."""

import pickle

import pytest
import spacy


@pytest.fixture(params=["disk", "bytes", "pickle"])
def stored(request, tmp_path):
    """A function from a pipeline, and one that makes its like untrained, to the pipeline as it
    comes back from where it was stored."""

    def come_back(nlp, make):
        if request.param == "disk":
            nlp.to_disk(tmp_path / "model")
            return spacy.load(tmp_path / "model")
        if request.param == "bytes":
            return make().from_bytes(nlp.to_bytes())
        return pickle.loads(pickle.dumps(nlp))

    return come_back
