"""What every registered filter promises."""

import copy
import pickle

import pytest
import torch
from building import build
from hypothesis import given, settings
from hypothesis import strategies as st

SIZE = 6


class Numbers:
    """An alphabet without texts."""

    size = SIZE
    end = None

    def encode(self, text):
        raise AssertionError("the settings of these tests are numbers")


def distributions(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, SIZE, generator=generator).mul(3).log_softmax(-1)


@given(
    length=st.integers(0, 5),
    shape=st.sampled_from([(), (4,), (2, 3)]),
    excluded=st.integers(-1, 0),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=25, deadline=None)
def test_every_row_is_filtered_by_itself_whatever_the_rank(
    filter_name, length, shape, excluded, seed
):
    keep = build("filter", filter_name)(Numbers())
    log_p = distributions(shape, seed)
    if excluded >= 0:
        log_p[..., excluded] = -torch.inf
    history = torch.randint(SIZE, (*shape, length), generator=torch.Generator().manual_seed(seed))
    before = log_p.clone()
    changed = keep(log_p, history)
    assert torch.equal(log_p, before), "what came in must not change"
    assert changed.shape == log_p.shape
    assert (changed <= log_p).all()  # nothing rises, and what is excluded stays so
    rows, whole = log_p.view(-1, SIZE), changed.view(-1, SIZE)
    for row, past, want in zip(rows, history.view(len(rows), length), whole, strict=True):
        assert torch.equal(keep(row, past), want)


@pytest.mark.parametrize("length", [0, 1, 4])
def test_a_symbol_survives(filter_name, length):
    keep = build("filter", filter_name)(Numbers())
    changed = keep(distributions((50,), seed=3), torch.arange(length).expand(50, length))
    assert (changed > -torch.inf).any(-1).all()


def test_runs_without_a_device(filter_name):
    keep = build("filter", filter_name)(Numbers())
    with torch.device("meta"):
        log_p, history = torch.empty(3, SIZE), torch.empty(3, 4, dtype=torch.int64)
        assert keep(log_p, history).shape == (3, SIZE)


def test_copies_filter_the_same(filter_name):
    keep = build("filter", filter_name)(Numbers())
    log_p, history = distributions((3,), seed=1), torch.tensor([[1, 2], [4, 4], [0, 1]])
    for other in (copy.deepcopy(keep), pickle.loads(pickle.dumps(keep))):
        assert torch.equal(other(log_p, history), keep(log_p, history))
