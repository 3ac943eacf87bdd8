"""Bytes that are not exactly what was written are refused, and nothing in them is ever run."""

import io
import json
import pickle

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnnpipe.errors import WeightsError
from rnnpipe.shim.weights import dump, load_into, named_tensors, parse

FACTS = {"n_in": 3, "labels": ["A", "Ö", "\ud800"], "sizes": {"x": [1, 2]}}


class Net(nn.Module):
    """Parameters and buffers of several types, one of them under two names, one not stored."""

    def __init__(self, n_in=3, n_out=2):
        super().__init__()
        self.layer = nn.Linear(n_in, n_out)
        self.tied = self.layer
        self.brief = nn.Parameter(torch.randn(2, 2).to(torch.bfloat16).t())
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("count", torch.arange(4))
        self.register_buffer("mask", torch.tensor([True, False]))
        self.register_buffer("empty", torch.zeros(0, 3))
        self.register_buffer("scratch", torch.zeros(5), persistent=False)


def test_round_trip():
    torch.manual_seed(0)
    net, other = Net(), Net()
    data = dump(net, FACTS)
    stored = parse(data)
    assert (stored.facts, stored.built) == (FACTS, True)
    load_into(other, stored.tensors)
    for name, tensor in named_tensors(net).items():
        assert torch.equal(tensor, named_tensors(other)[name]), name
    assert dump(other, FACTS) == data
    assert "tied.weight" not in stored.tensors and "scratch" not in stored.tensors


def test_nothing_built_yet():
    stored = parse(dump(None, {"n_in": 3}))
    assert (stored.tensors, stored.facts, stored.built) == ({}, {"n_in": 3}, False)


def test_other_tools_can_read_it():
    net = Net()
    tensors = safetensors.torch.load(dump(net, FACTS))
    assert torch.equal(tensors["layer.weight"], net.layer.weight)


DATA = dump(Net(), FACTS)
HEADER_END = 8 + int.from_bytes(DATA[:8], "little")


@settings(deadline=None, max_examples=150)
@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_an_altered_byte_is_refused_or_means_nothing(position, change):
    altered = bytearray(DATA)
    altered[position] ^= change
    try:
        read = parse(bytes(altered))
    except WeightsError as error:
        assert "expected" in str(error) and "got" in str(error)
    else:  # white space in the header
        assert position < HEADER_END
        assert read.facts == FACTS and read.built
        assert all(torch.equal(t, read.tensors[name]) for name, t in parse(DATA).tensors.items())


@settings(deadline=None, max_examples=50)
@given(st.integers(0, len(DATA) - 1))
def test_any_truncation_is_refused(length):
    with pytest.raises(WeightsError, match="^weights: expected a complete safetensors file, got"):
        parse(DATA[:length])


def test_altered_values_are_named_as_such():
    with pytest.raises(WeightsError) as error:
        parse(DATA[:-1] + bytes([DATA[-1] ^ 1]))
    assert str(error.value) == (
        "weights: expected the checksum stored with them, got a changed file. Copy the file "
        "again from its source, or train again."
    )


def test_tensors_of_another_origin():
    foreign = safetensors.torch.save({"layer.weight": torch.zeros(2, 3)})
    with pytest.raises(WeightsError, match="weights written by rnnpipe, got tensors from anoth"):
        parse(foreign)


def test_a_later_format():
    header = {"rnnpipe": "2 or whatever it will look like"}
    with pytest.raises(WeightsError) as error:
        parse(safetensors.torch.save({}, header))
    assert str(error.value) == (
        "weights: expected format 1, got format 2. Use the rnnpipe version that wrote the file."
    )


RAN = []


def run_code():
    RAN.append("code from the file")


class Payload:
    def __reduce__(self):
        return run_code, ()


def test_pickles_are_refused_unopened():
    state = io.BytesIO()
    torch.save(Net().state_dict(), state)  # what thinc's shim writes
    for data in (pickle.dumps(Payload()), state.getvalue()):
        with pytest.raises(WeightsError, match="expected a complete safetensors file"):
            parse(data)
    assert not RAN
    pickle.loads(pickle.dumps(Payload()))
    assert RAN  # it would have run


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"layer.weight": torch.zeros(2, 4)},
            "expected float32 (2, 3) for layer.weight, got float32 (2, 4)",
        ),
        ({"count": torch.zeros(4)}, "expected int64 (4,) for count, got float32 (4,)"),
        (
            {"extra": torch.zeros(1)},
            "expected the 7 tensors of this network, got others: missing [], unknown ['extra']",
        ),
        (
            {"scale": None},
            "expected the 7 tensors of this network, got others: missing ['scale'], unknown []",
        ),
    ],
)
def test_another_network(change, message):
    net = Net()
    before = {name: tensor.clone() for name, tensor in named_tensors(net).items()}
    tensors = {**{name: torch.ones_like(t) for name, t in before.items()}, **change}
    with pytest.raises(WeightsError) as error:
        load_into(net, {name: t for name, t in tensors.items() if t is not None})
    assert str(error.value) == (
        f"weights: {message}. Load them into a network with the settings used in training."
    )
    assert all(torch.equal(before[name], t) for name, t in named_tensors(net).items())


class WithExtraState(nn.Module):
    def get_extra_state(self):
        return {"counts": {"a": 1}}


def test_state_that_needs_pickle_is_refused_when_saving():
    with pytest.raises(WeightsError) as error:
        dump(WithExtraState(), None)
    assert str(error.value) == (
        "weights: expected a tensor for _extra_state, got dict. Store only plain values in the "
        "facts, so that loading never runs code."
    )


def test_facts_must_be_json():
    with pytest.raises(TypeError):
        dump(None, {"labels": {1, 2}})
    assert json.loads(json.dumps(FACTS)) == FACTS
