"""The structure against what it is, by hand."""

import spacy
import torch
from rnnpipe_acme.reversed import Reversed


def test_nodes_are_the_tokens_from_the_last_to_the_first():
    structure, nlp = Reversed(), spacy.blank("en")
    nodes = [structure.read(nlp(text)) for text in ("to be or", "", "not")]
    assert [node.tokens.tolist() for node in nodes] == [[2, 1, 0], [], [0]]
    for node in nodes:
        assert node.tokens[node.labelled].tolist() == list(range(len(node.tokens)))
    assert structure.build(nodes, torch.device("cpu")).lengths.tolist() == [3, 0, 1]
