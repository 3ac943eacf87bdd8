"""The lattice of a text against the sum over all paths, and as a page."""

from itertools import product
from xml.etree import ElementTree

import numpy as np
import pytest
import spacy
import torch
from helpers.small_pipelines import entity_recognizer

from rnnpipe.cli.pictures.lattice_html import lattice_page
from rnnpipe.components.labelling.network import answers
from rnnpipe.errors import SettingsError
from rnnpipe.instruments.lattice import Entity, Lattice, Reading, lattice

TEXT = "Ada in New York"


def all_paths(nlp, pipe):
    """Every label sequence of the text, with its probability."""

    def read(decoder, x, lengths):
        paths = list(product(range(len(pipe.tags.names)), repeat=int(lengths[0])))
        logs = [decoder.path_log_probability(x, torch.tensor([path])) for path in paths]
        return [(np.array(paths), torch.cat(logs).double().exp().numpy())]

    return answers(pipe.model, [nlp.make_doc(TEXT)], read)[0]


@pytest.mark.parametrize("decoder", ["CRF", "Softmax"])
def test_probabilities_are_sums_over_all_paths(decoder):
    nlp = entity_recognizer(decoder)
    pipe = nlp.get_pipe("ner")
    found = lattice(nlp, pipe, TEXT, n_best=4)
    paths, shares = all_paths(nlp, pipe)
    assert shares.sum() == pytest.approx(1.0, abs=1e-5)
    expected = [[shares[paths[:, t] == i].sum() for i in range(5)] for t in range(4)]
    np.testing.assert_allclose(found.marginals, expected, atol=1e-5)
    best = np.argsort(-shares)[:4]
    np.testing.assert_allclose([r.probability for r in found.readings], shares[best], rtol=1e-4)
    np.testing.assert_array_equal(found.readings[0].path, paths[best[0]])
    for entity in found.entities:
        begin = found.labels.index(f"B-{entity.label}")
        inside = found.labels.index(f"I-{entity.label}")
        has = paths[:, entity.start] == begin
        has &= (paths[:, entity.start + 1 : entity.end] == inside).all(1)
        if entity.end < 4:
            has &= paths[:, entity.end] != inside
        assert entity.probability == pytest.approx(shares[has].sum(), abs=1e-5)
    doc = nlp(TEXT)
    assert [(e.start, e.end, e.label_) for e in doc.ents] == [
        (entity.start, entity.end, entity.label) for entity in found.entities
    ]


def test_a_text_has_as_many_readings_as_there_are():
    nlp = entity_recognizer()
    found = lattice(nlp, nlp.get_pipe("ner"), "Ada", n_best=10)
    assert len(found.readings) == 3  # no I without a B
    assert sum(reading.probability for reading in found.readings) == pytest.approx(1.0, abs=1e-5)
    assert found.as_json()["readings"][0]["labels"] == [found.labels[found.readings[0].path[0]]]


def test_a_tagger_has_no_entities():
    nlp = spacy.blank("en")
    model = {"decoder": {"@rnnpipe_decoders": "rnnpipe.CRF.v1"}}
    pipe = nlp.add_pipe("rnn_tagger", config={"model": model})
    for label in "AB":
        pipe.add_label(label)
    doc = nlp.make_doc("a b")
    pipe.model.initialize(X=[doc], Y=pipe.output_labels())
    found = lattice(nlp, pipe, "a b", n_best=4)
    assert found.entities == []
    assert len(found.readings) == 4
    assert found.labels == ("A", "B")


def test_a_text_without_tokens():
    nlp = entity_recognizer()
    with pytest.raises(SettingsError) as error:
        lattice(nlp, nlp.get_pipe("ner"), "", 1)
    assert (
        str(error.value) == "text: expected a text with tokens, got no tokens. Pass another text."
    )


def test_a_decoder_of_something_else():
    nlp = entity_recognizer()
    pipe = nlp.get_pipe("ner")
    network = pipe.model.shims[0].module
    decoder = network.decoder
    network.decoder = torch.nn.Identity()
    try:
        with pytest.raises(
            SettingsError, match="expected a decoder of label sequences, got 'Identity'"
        ):
            lattice(nlp, pipe, "a", 1)
    finally:
        network.decoder = decoder


SMALL = Lattice(
    tokens=["<Ada>", "&", "New\n", "York"],
    spaces=["", " ", "", ""],
    labels=["O", "B-<L>", "I-<L>", "B-never"],
    marginals=np.array([[1, 0, 0, 0], [0.9, 0.1, 0, 0], [0.2, 0.8, 0, 0], [0.3, 0, 0.7, 0]]),
    readings=[Reading(np.array([0, 0, 1, 2]), 0.6), Reading(np.array([0, 1, 0, 0]), 0.2)],
    entities=[Entity(2, 4, "<L>", 0.65)],
)


def test_a_page_shows_entities_nodes_and_paths_and_escapes_what_it_is_given():
    html = lattice_page(SMALL, "A <title>")
    root = ElementTree.fromstring(html.removeprefix("<!DOCTYPE html>"))
    assert root.find("head/title").text == "A <title>"
    (text,) = (x for x in root.iter("div") if x.get("class") == "entities")
    assert "".join(text.itertext()) == "<Ada>& New↵\nYork<L> 65%"
    assert text.find("mark/b").text == "<L> 65%"
    svg = "{http://www.w3.org/2000/svg}"
    hints = [x.text for x in root.iter(f"{svg}title")]
    assert len(hints) == 4 * 3  # the label that no token can have is left out
    assert "<Ada>: O 1.0000" in hints
    lines = [x.get("points").split() for x in root.iter(f"{svg}polyline")]
    assert [len(points) for points in lines] == [4, 4]
    other, best = ([float(point.split(",")[1]) for point in points] for points in lines)
    assert best[0] == best[1] < best[2] < best[3]
    assert other[0] == other[2] == other[3] < other[1]
    rows = ["".join(row.itertext()) for row in root.iter("tr")]
    assert rows == ["60.0%the best path", "20.0%&: B-<L>, New↵\n: O, York: O"]


def test_a_page_without_entities():
    bare = Lattice(["a"], [""], ["A"], np.ones((1, 1)), [Reading(np.array([0]), 1.0)], [])
    html = lattice_page(bare, "t")
    assert "<mark" not in html
    ElementTree.fromstring(html.removeprefix("<!DOCTYPE html>"))
