"""The embedding against its equation, word by word."""

import torch
from rnnpipe_acme.word_length import WordLength


class Words:
    def texts(self):
        return ["", "a", "word", "longer", "longest"]


def test_vectors_are_those_of_the_equation():
    embedding = WordLength(width=3, longest=5).build({})
    features = embedding.featurize(Words())
    vectors = embedding({name: torch.from_numpy(rows) for name, rows in features.items()})
    torch.testing.assert_close(vectors, embedding.table.weight[[0, 1, 4, 5, 5]])
