"""Text of users stands in a page as it is: none of it is read as HTML."""

from xml.etree import ElementTree

import numpy as np
import pytest

from rnnpipe.cli.pictures.attention_shown import attention_page
from rnnpipe.cli.pictures.lattice_html import lattice_page
from rnnpipe.cli.pictures.trace_html import html_page
from rnnpipe.instruments.attention import Attention
from rnnpipe.instruments.lattice import Entity, Lattice, Reading
from rnnpipe.instruments.trace import Cell, Trace

EVIL = """<script>alert("it's")</script> & {bg} {{ x }} &amp;"""
TRACE = Trace([EVIL], np.ones(1), guess=1.0, cell=Cell(0, 1), activations={EVIL: np.ones(1)})
ATTENTION = Attention(np.full((2, 1), 1.0), [EVIL, EVIL], [EVIL], "rows", "columns", EVIL)
LATTICE = Lattice(
    tokens=[EVIL, EVIL],
    spaces=[" ", ""],
    labels=["O", EVIL],
    marginals=np.array([[0.5, 0.5], [0.0, 1.0]]),
    readings=[Reading(np.array([0, 1]), 0.5), Reading(np.array([1, 1]), 0.5)],
    entities=[Entity(1, 2, EVIL, 1.0)],
)
PAGES = {
    "trace": (lambda: html_page(TRACE, EVIL), {"title": 1, "h1": 1, "span": 2, "h2": 1}),
    "attention": (lambda: attention_page(ATTENTION), {"title": 1, "h1": 1, "span": 2, "div": 1}),
    "lattice": (
        lambda: lattice_page(LATTICE, EVIL),
        {"title": 1 + 4, "h1": 1, "div": 1, "mark": 1, "b": 1, "text": 3, "td": 1},
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_text_of_users_is_escaped(name):
    make, places = PAGES[name]
    root = ElementTree.fromstring(make().removeprefix("<!DOCTYPE html>"))
    found = dict.fromkeys(places, 0)
    for element in root.iter():
        tag = element.tag.rpartition("}")[2]
        assert tag != "script"
        if tag in found:
            found[tag] += EVIL in "".join([element.text or "", *(x.tail or "" for x in element)])
    assert found == places
    hints = [element.get("title") for element in root.iter() if element.get("title")]
    assert all("nats" in hint or EVIL in hint or "of the attention" in hint for hint in hints)


def test_entities_stand_where_they_are_in_the_text():
    tokens, spaces = ["Ada", "saw", "New", "York", "\n", "."], [" ", " ", " ", "", "", ""]
    ids = np.array([1, 0, 1, 2, 0, 0])
    marginals = np.eye(3)[ids]
    entities = [Entity(0, 1, "PER", 0.5), Entity(2, 4, "LOC", 0.25)]
    labels = ["O", "B", "I"]
    html = lattice_page(
        Lattice(tokens, spaces, labels, marginals, [Reading(ids, 1.0)], entities), "t"
    )
    assert "Ada<b>PER 50%</b></mark> saw <mark" in html
    assert "New York<b>LOC 25%</b></mark>↵<br>.</div>" in html
