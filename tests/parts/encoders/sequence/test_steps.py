"""The rows of a batch, against a plain loop over documents and steps."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.parts.encoders.sequence.steps import Steps, _padded
from rnnpipe.structures import Sequences

LENGTHS = st.lists(st.integers(0, 5), max_size=6)


def plain_rows(lengths):
    """(document, node) of each row, packed."""
    ranked = sorted(range(len(lengths)), key=lambda d: -lengths[d])
    return [(d, t) for t in range(max(lengths, default=0)) for d in ranked if lengths[d] > t]


def layouts(structure):
    """Packed, and padded as for lengths that only the device knows."""
    yield Steps.of(structure)
    yield _padded(structure)


@settings(deadline=None, max_examples=60)
@given(LENGTHS)
def test_rows_are_nodes_in_the_order_of_time(lengths):
    steps = Steps.of(Sequences.of(lengths))
    rows, size = plain_rows(lengths), max(lengths, default=0)
    assert steps.source.tolist() == [d * size + t for d, t in rows]
    assert steps.sizes == ([sum(n > t for n in lengths) for t in range(size)] or [0])
    assert steps.mirror.tolist() == [rows.index((d, lengths[d] - 1 - t)) for d, t in rows]
    ranked = steps.order.tolist()
    assert [ranked[r] for r in steps.rank.tolist()] == [d for d, _ in rows]
    states = [(d, -1) for d in ranked] + rows
    assert [states[i] for i in steps.previous.tolist()] == [(d, t - 1) for d, t in rows]
    assert [states[i] for i in steps.last.tolist()] == [(d, n - 1) for d, n in enumerate(lengths)]


@settings(deadline=None, max_examples=60)
@given(LENGTHS)
def test_unpacked_is_what_was_packed_and_zero_at_padding(lengths):
    structure = Sequences.of(lengths)
    x = torch.randn(len(lengths), structure.size, 2)
    for steps in layouts(structure):
        rows = steps.pack(x)
        assert len(rows) == sum(steps.sizes)
        assert torch.equal(steps.unpack(rows, structure), structure.blank(x))


@settings(deadline=None, max_examples=60)
@given(LENGTHS)
def test_the_mirror_reverses_every_document(lengths):
    structure = Sequences.of(lengths)
    x = structure.blank(torch.randn(len(lengths), structure.size, 2))
    for steps in layouts(structure):
        back = steps.unpack(steps.pack(x)[steps.mirror], structure)
        assert torch.equal(back, structure.reverse(x))
        assert torch.equal(steps.mirror[steps.mirror], torch.arange(len(steps.mirror)))


@settings(deadline=None, max_examples=60)
@given(LENGTHS)
def test_padded_steps_find_the_same_predecessors_and_last_states(lengths):
    structure = Sequences.of(lengths)
    number = 1.0 + torch.arange(len(lengths) * structure.size)
    x = number.view(len(lengths), structure.size, 1)
    for steps in layouts(structure):
        initial = -1.0 - steps.order.view(-1, 1)
        states = torch.cat([initial, steps.pack(x)])
        last = states[steps.last].flatten().tolist()
        assert last == [x[d, n - 1, 0] if n else -1 - d for d, n in enumerate(lengths)]
        before = steps.unpack(states[steps.previous], structure)
        for d, n in enumerate(lengths):
            assert before[d, :n, 0].tolist() == [-1 - d, *x[d, : n - 1, 0].tolist()][:n]


def test_which_lengths_are_known_where():
    structure = Sequences.of([2, 1])
    assert Steps.of(structure).packed
    assert Steps.of(Sequences(structure.lengths, structure.size)).packed
    assert Steps.of(Sequences.of([2, 1], device="meta")).sizes == [2, 1]
    unknown = Steps.of(Sequences(torch.tensor([2, 1], device="meta"), 2))
    assert not unknown.packed and unknown.sizes == [2, 2]


@pytest.mark.parametrize("size", [3, 5])
def test_a_batch_may_be_padded_beyond_its_longest_document(size):
    structure = Sequences(torch.tensor([3, 1]), size)
    x = torch.randn(2, size, 2)
    steps = Steps.of(structure)
    assert steps.sizes == [2, 1, 1]
    assert torch.equal(steps.unpack(steps.pack(x), structure), structure.blank(x))
