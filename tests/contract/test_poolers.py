"""What every registered pooler promises."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from building import build
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.structures import Encoded, Mentions, Sequences

WIDTH = 4


def documents_of(lengths, device="cpu"):
    """Documents with two mentions: all nodes but the last one, and all but the first."""
    structure = Sequences.of(lengths, device)
    groups = [[np.arange(max(1, n - 1))[:n], np.arange(n)[min(1, n - 1) :]] for n in lengths]
    mentions = Mentions.of(groups, 2, structure.size, device)
    return replace(structure, mentions=mentions)


def encode(lengths, seed=0, noise=0.0):
    generator = torch.Generator().manual_seed(seed)
    structure = documents_of(lengths)
    states = torch.zeros(len(lengths), structure.size, WIDTH)
    for row, n in zip(states, lengths, strict=True):
        row[:n] = torch.randn(n, WIDTH, generator=generator)
    states = torch.where(structure.mask.unsqueeze(-1), states, torch.full_like(states, noise))
    return Encoded(states.requires_grad_(), structure, n_forward=WIDTH // 2)


@pytest.fixture
def pooler(pooler_name):
    torch.manual_seed(1)
    return build("pooler", pooler_name)(WIDTH).eval()


def test_vectors_are_of_the_declared_width_and_zero_for_empty_documents(pooler):
    vectors = pooler(encode([3, 0, 1]))
    assert vectors.shape == (3, pooler.n_out)
    assert vectors[1].abs().sum() == 0
    assert pooler(encode([0, 0])).abs().sum() == 0
    assert pooler(encode([])).shape == (0, pooler.n_out)


def test_documents_do_not_depend_on_their_batch_or_its_padding(pooler):
    @settings(deadline=None, max_examples=20)
    @given(st.lists(st.integers(0, 5), min_size=1, max_size=5), st.floats(-9, 9))
    def check(lengths, noise):
        together = encode(lengths, noise=noise)
        vectors = pooler(together)
        for i, n in enumerate(lengths):
            states = together.states[i : i + 1, :n].detach()
            alone = pooler(Encoded(states, documents_of([n]), WIDTH // 2))
            torch.testing.assert_close(vectors[i], alone[0], atol=1e-5, rtol=0)

    check()


def test_no_gradient_comes_from_padding(pooler):
    encoded = encode([2, 5, 0], noise=3.0)
    pooler(encoded).square().sum().backward()
    assert encoded.states.grad[~encoded.mask].abs().sum() == 0
    assert encoded.states.grad[encoded.mask].abs().sum() > 0


def test_runs_without_a_device(pooler_name):
    pooler = build("pooler", pooler_name)(WIDTH).to("meta")
    with torch.device("meta"):
        states = torch.randn(3, 5, WIDTH, requires_grad=True)
        structure = documents_of([5, 0, 3], device="meta")
        pooler(Encoded(states, structure, WIDTH)).sum().backward()
        assert states.grad.shape == states.shape


def test_copies_and_pickles_give_equal_vectors(pooler):
    encoded = encode([3, 4])
    before = pooler(encoded)
    for other in (copy.deepcopy(pooler), pickle.loads(pickle.dumps(pooler))):
        assert torch.equal(other(encoded), before)
