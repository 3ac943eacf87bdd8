"""The pooler against its equation, document by document."""

import torch
from rnnpipe_acme.scaled_sum import ScaledSum

from rnnpipe.api import Encoded, Sequences


def test_pooled_documents_are_those_of_the_equation():
    lengths = [4, 0, 1]
    states = torch.randn(3, 4, 2)
    pooled = ScaledSum(power=0.5)(2)(Encoded(states, Sequences.of(lengths), 2))
    for document, n, got in zip(states, lengths, pooled, strict=True):
        want = document[:n].sum(0) / n**0.5 if n else torch.zeros(2)
        torch.testing.assert_close(got, want)
