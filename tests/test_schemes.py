"""Tagging schemes: spans to tags and back, and what is legal."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.errors import LabelError
from rnnpipe.schemes import SCHEMES

TYPES = ("PER", "A-B")  # a type may contain hyphens
EXACT = sorted(set(SCHEMES) - {"IO"})  # IO cannot tell adjacent entities of one type apart


@st.composite
def spans_and_length(draw):
    spans, position = [], 0
    for gap, size, kind in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(0, 1)), max_size=4)
    ):
        spans.append((position + gap, position + gap + size, kind))
        position += gap + size
    return spans, position + draw(st.integers(0, 2))


@pytest.mark.parametrize("name", EXACT)
@settings(deadline=None, max_examples=40)
@given(spans_and_length())
def test_spans_come_back_from_legal_tags(name, example):
    spans, length = example
    tags = SCHEMES[name].bind(SCHEMES[name].tags(TYPES))
    ids = tags.encode(spans, length)
    assert tags.check(ids) is None
    assert [tuple(span) for span in tags.decode(ids).tolist()] == spans


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("BIO", ["B-PER", "I-PER", "O", "B-PER", "B-PER"]),
        ("IOB1", ["I-PER", "I-PER", "O", "I-PER", "B-PER"]),
        ("BIOES", ["B-PER", "E-PER", "O", "S-PER", "S-PER"]),
        ("BILUO", ["B-PER", "L-PER", "O", "U-PER", "U-PER"]),
        ("BMES", ["B-PER", "E-PER", "O", "S-PER", "S-PER"]),
        ("IO", ["I-PER", "I-PER", "O", "I-PER", "I-PER"]),
    ],
)
def test_the_tags_of_each_scheme(name, tags):
    bound = SCHEMES[name].bind(SCHEMES[name].tags(["PER"]))
    ids = bound.encode([(0, 2, 0), (3, 4, 0), (4, 5, 0)], 5)
    assert [bound.names[i] for i in ids] == tags


@pytest.mark.parametrize("name", EXACT)
def test_a_sequence_is_legal_if_it_is_the_encoding_of_its_own_spans(name):
    bound = SCHEMES[name].bind(SCHEMES[name].tags(["X", "Y"]))
    for ids in itertools.product(range(len(bound.names)), repeat=3):
        ids = np.array(ids)
        spans = [tuple(span) for span in bound.decode(ids).tolist()]
        same = np.array_equal(bound.encode(spans, 3), ids)
        assert (bound.check(ids) is None) == same, [bound.names[i] for i in ids]


def test_the_first_illegal_place_is_named():
    violation = SCHEMES["BIO"].check(["O", "I-PER", "B-PER", "I-A-B"])
    assert (violation.position, violation.previous, violation.tag) == (1, "O", "I-PER")
    assert "token 1: expected a tag that BIO allows after 'O', got 'I-PER'." in str(violation)


def test_a_missing_tag_is_legal_where_some_tag_would_be():
    assert SCHEMES["BIOES"].check(["B-PER", None, "E-PER"]) is None
    assert SCHEMES["BIOES"].check(["O", None, "E-PER"]) is None
    assert SCHEMES["BIOES"].check(["B-PER", "O", None]).position == 1


@pytest.mark.parametrize("spans", [[(0, 2, 0), (1, 3, 0)], [(0, 0, 0)], [(2, 9, 0)]])
def test_spans_that_overlap_are_empty_or_leave_the_document(spans):
    bound = SCHEMES["BIO"].bind(SCHEMES["BIO"].tags(["PER"]))
    with pytest.raises(LabelError, match="disjoint spans of one or more tokens within 4"):
        bound.encode(spans, 4)


def test_a_tag_of_another_scheme():
    with pytest.raises(LabelError, match="tag scheme BIO: expected a tag of the form O, B-TYPE"):
        SCHEMES["BIO"].split("S-PER")
