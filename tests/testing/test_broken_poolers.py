"""The kit finds every way in which a pooler can break a promise."""

import numpy as np
import pytest
import torch
from helpers.broken import can_all_be_broken, told

from rnnpipe.contracts.types import PoolerBuilder
from rnnpipe.parts.poolers.mean import Mean
from rnnpipe.testing import check_pooler
from rnnpipe.testing.poolers import POOLER


class Spoilt(torch.nn.Module):
    """A mean that somebody tampers with."""

    def __init__(self, n_in):
        super().__init__()
        self.inner = Mean()(n_in)
        self.n_out = n_in

    def forward(self, encoded):
        return self.spoil(self.inner(encoded), encoded)

    def spoil(self, vectors, encoded):
        return vectors


class One(Spoilt):
    def spoil(self, vectors, encoded):
        return vectors + 1


class Padded(Spoilt):
    def spoil(self, vectors, encoded):
        return encoded.states.sum(1) * (encoded.lengths > 0).unsqueeze(1)


class Leaking(Spoilt):
    def spoil(self, vectors, encoded):
        return vectors + 0.1 * encoded.states.sum(1)


class Spreading(Spoilt):
    def spoil(self, vectors, encoded):
        return vectors + 0 * encoded.states.sum()


class Detached(Spoilt):
    def spoil(self, vectors, encoded):
        return vectors.detach() + 0 * encoded.states.sum(1)


class Idle(Spoilt):
    def __init__(self, n_in):
        super().__init__(n_in)
        self.unused = torch.nn.Parameter(torch.ones(()))


class Exact(Spoilt):
    def spoil(self, vectors, encoded):
        return vectors.double()


class Half(Spoilt):
    def spoil(self, vectors, encoded):
        return vectors + vectors.detach()


class Waiting(Spoilt):
    def spoil(self, vectors, encoded):
        return vectors * max(1, int(encoded.lengths.sum().item()))


class Other(Spoilt):
    def __init__(self, n_in):
        super().__init__(n_in)
        self.factor = torch.rand(())

    def spoil(self, vectors, encoded):
        return vectors * self.factor


class Named(Spoilt):
    def __init__(self, n_in):
        super().__init__(n_in)
        self.b = torch.nn.Parameter(torch.ones(()))


class Restless(Spoilt):
    def spoil(self, vectors, encoded):
        return vectors * np.random.default_rng().random() if self.training else vectors


class Unseeded(Spoilt):
    def __init__(self, n_in):
        super().__init__(n_in)
        self.register_buffer("noise", torch.from_numpy(np.random.default_rng().standard_normal(3)))


BROKEN = [
    ("shapes", One, "lengths = [0].\nFound: vectors of empty documents: expected the same values"),
    ("shapes", Exact, "Found: vectors: expected torch.float32, got torch.float64."),
    ("batch", Padded, "Found: vector of document "),
    ("nan", Spreading, "Found: vectors: expected values equal to 1e-06, got a difference of nan."),
    (
        "gradients",
        Detached,
        "lengths = [1].\nFound: states of document 0: expected a gradient",
    ),
    ("gradients", Leaking, "Found: padding: expected no gradient, got"),
    ("parameters", Idle, "Found: unused: expected a gradient, got none."),
    ("gradient_check", Half, "Found: GradcheckError: "),
    ("meta", Waiting, "Found: RuntimeError: Tensor.item() cannot be called on meta tensors"),
    ("copies", Other, "Found: the answer of a pickle of the builder, with the weights loaded"),
    ("names", Named, "Found: b: expected another name than 'b'."),
    ("seeds", Restless, "under the seed 7.\nFound: vectors in training: expected the same values"),
    ("seeds", Unseeded, "Found: noise: expected the same values to the last bit, got 3 others."),
]


@pytest.mark.parametrize("promise, builder, found", BROKEN)
def test_a_broken_promise_is_found(promise, builder, found):
    assert found in told(POOLER, promise, builder)


def test_every_promise_can_be_broken():
    assert can_all_be_broken(POOLER, BROKEN)


def test_a_sound_pooler_breaks_none():
    check_pooler(Spoilt)
    check_pooler("rnnpipe.Attention.v1", {"width": 2}, n_in=6)


def test_what_is_no_pooler():
    assert isinstance(Spoilt, PoolerBuilder)
    with pytest.raises(TypeError) as caught:
        check_pooler(3)
    assert str(caught.value) == "int: expected a name or a builder of the kind 'pooler', got int."
