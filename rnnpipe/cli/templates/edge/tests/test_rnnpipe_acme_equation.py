"""The edges against their equation, by hand."""

import spacy
from rnnpipe_acme.window import Window

nlp = spacy.blank("en")


def test_edges_are_those_of_the_equation():
    edges = Window(size=2)
    assert edges.types == ("1 after", "2 after")
    found = edges.read(nlp("not to be or")).tolist()
    assert found == [[0, 1, 0], [1, 2, 0], [2, 3, 0], [0, 2, 1], [1, 3, 1]]
    assert edges.read(nlp("not")).shape == edges.read(nlp("")).shape == (0, 3)
