"""What every registered way of joining tokens promises."""

import pickle

import numpy as np
import pytest
from building import annotated, build


@pytest.fixture
def edges(edges_name):
    return build("edges", edges_name)


def test_edges_join_tokens_and_have_known_types(edges, nlp):
    assert len(set(edges.types)) == len(edges.types) > 0
    for n in (0, 1, 5):
        found = edges.read(annotated(nlp, n))
        assert found.dtype == np.int64
        assert found.shape[1:] == (3,)
        assert (found >= 0).all()
        assert (found < [n, n, len(edges.types)]).all()
        assert len(found) >= n - 1


def test_pickles(edges, nlp):
    again = pickle.loads(pickle.dumps(edges))
    assert again.types == edges.types
    doc = annotated(nlp, 4)
    assert np.array_equal(again.read(doc), edges.read(doc))
