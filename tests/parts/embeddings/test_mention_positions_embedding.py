"""How far each token is from each mention."""

import pytest
import spacy
import torch
from spacy.tokens import Doc, Span

from rnnpipe.errors import StructureError
from rnnpipe.parts.embeddings.mention_positions import MentionPositions

NLP = spacy.blank("en")


def doc_with(n, mentions):
    doc = Doc(NLP.vocab, words=["w"] * n)
    doc.spans["mentions"] = [Span(doc, start, end) for start, end in mentions]
    return doc


def distances(builder, doc, longest):
    rows = builder.build({}).featurize([doc])["rows"]
    return (rows[:, 0] - longest).tolist(), (rows[:, 1] - 3 * longest - 1).tolist()


def test_distances_from_both_ends_of_a_mention():
    found = distances(MentionPositions(longest=9), doc_with(6, [(1, 3), (5, 6)]), 9)
    assert found == ([-1, 0, 0, 1, 2, 3], [-5, -4, -3, -2, -1, 0])


def test_far_away_is_far_away():
    found = distances(MentionPositions(longest=2), doc_with(6, [(0, 1), (4, 5)]), 2)
    assert found == ([0, 1, 2, 2, 2, 2], [-2, -2, -2, -1, 0, 1])


def test_each_mention_has_a_table_of_its_own():
    torch.manual_seed(0)
    module = MentionPositions(width=3).build({})
    rows = module.featurize([doc_with(2, [(0, 1), (0, 1)]), Doc(NLP.vocab)])["rows"]
    vectors = module({"rows": torch.from_numpy(rows)})
    assert vectors.shape == (2, module.n_out) == (2, 6)
    assert not torch.equal(vectors[:, :3], vectors[:, 3:])


def test_another_number_of_mentions():
    with pytest.raises(StructureError, match=r"expected 3 spans in doc.spans\['mentions'\], got 2"):
        MentionPositions(count=3).build({}).featurize([doc_with(3, [(0, 1), (1, 2)])])
