"""Mentions one after the other, each pooled by another pooler."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rnnpipe.errors import StructureError
from rnnpipe.parts.poolers.last import Last
from rnnpipe.parts.poolers.max import Max
from rnnpipe.parts.poolers.mean import Mean
from rnnpipe.parts.poolers.mentions import Mentions
from rnnpipe.structures import Encoded, Sequences
from rnnpipe.structures import Mentions as Groups


def encoded(groups, count=2):
    states = torch.tensor([[[1.0, -1.0], [2.0, -2.0], [4.0, -8.0], [6.0, 0.0]]])
    mentions = Groups.of([[np.array(group) for group in groups]], count, size=4)
    return Encoded(states, replace(Sequences.of([4]), mentions=mentions), n_forward=1)


@pytest.mark.parametrize(
    ("inner", "vector"),
    [
        (Mean(), [3.0, -5.0, 3.5, -0.5]),
        (Max(), [4.0, -2.0, 6.0, 0.0]),
        (Last(), [4.0, -2.0, 6.0, -1.0]),
    ],
    ids=["mean", "max", "last"],
)
def test_mentions_side_by_side(inner, vector):
    pooler = Mentions(pooler=inner)(2)
    assert pooler.n_out == 4
    assert pooler(encoded([[1, 2], [0, 3]])).tolist() == [vector]


@pytest.mark.parametrize(
    ("structure", "got"),
    [(Sequences.of([4]), "no mentions"), (encoded([[0], [1], [2]], 3).structure, "3")],
    ids=["none", "three"],
)
def test_another_number_of_mentions(structure, got):
    with pytest.raises(StructureError) as error:
        Mentions(pooler=Mean())(2)(Encoded(torch.zeros(1, 4, 2), structure, 1))
    assert str(error.value) == (
        f"pooler: expected 2 marked mentions, got {got}. Set the network's structure to "
        "'rnnpipe.WithMentions.v1', with the same count."
    )
