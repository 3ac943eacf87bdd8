"""What every registered way of reading the words of documents promises."""

import pickle

import numpy as np
import pytest
import torch
from building import annotated, build


@pytest.fixture
def reader(token_structure_name):
    return build("structure", token_structure_name)


def test_nodes_of_a_document(reader, nlp):
    for n in (0, 1, 5):
        nodes = reader.read(annotated(nlp, n))
        assert nodes.tokens.dtype == nodes.labelled.dtype == np.int64
        assert set(nodes.tokens.tolist()) - {-1} == set(range(n))
        # With a span a token, there is one labelled node a token whatever is labelled.
        assert len(nodes.labelled) == n
        assert all(0 <= node < len(nodes.tokens) for node in nodes.labelled.tolist())


def test_each_token_is_labelled_in_its_place(reader, nlp):
    nodes = reader.read(annotated(nlp, 4))
    if reader.spans_key is None:
        assert nodes.tokens[nodes.labelled].tolist() == [0, 1, 2, 3]


def test_a_batch(reader, nlp):
    for sizes in ([], [0], [3, 0, 1]):
        nodes = [reader.read(annotated(nlp, n)) for n in sizes]
        structure = reader.build(nodes, torch.device("cpu"))
        assert isinstance(structure, reader.structure)
        assert structure.host_lengths == tuple(len(each.tokens) for each in nodes)
        on_meta = reader.build(nodes, torch.device("meta"))
        assert on_meta.mask.shape == structure.mask.shape


def test_pickles(reader, nlp):
    again = pickle.loads(pickle.dumps(reader))
    ours, theirs = reader.read(annotated(nlp, 3)), again.read(annotated(nlp, 3))
    assert np.array_equal(ours.links, theirs.links)
