"""What holds for every pooler, and each against a loop over the nodes of one document."""

import copy
import math
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.errors import SettingsError
from rnnpipe.parts.poolers.attention import Attention
from rnnpipe.parts.poolers.concat import Concat
from rnnpipe.parts.poolers.last import Last
from rnnpipe.parts.poolers.max import Max
from rnnpipe.parts.poolers.mean import Mean
from rnnpipe.structures import Encoded, Sequences

H = 6
BUILDERS = {
    "Last": Last(),
    "Mean": Mean(),
    "Max": Max(),
    "Attention": Attention(),
    "Attention, narrow": Attention(width=2),
    "Concat": Concat({"max": Max(), "nested": Concat({"mean": Mean(), "attention": Attention()})}),
}


def plain(pooler, states, n_forward):
    """One document without padding, ``(T, H)``."""
    if not len(states):
        return torch.zeros(pooler.n_out)
    name = type(pooler).__name__
    if name == "LastPooler":
        return torch.cat([states[-1, :n_forward], states[0, n_forward:]])
    if name == "MeanPooler":
        return sum(states) / len(states)
    if name == "MaxPooler":
        return torch.stack([max(column) for column in states.T])
    if name == "AttentionPooler":
        scores = [
            float(
                pooler.score.weight[0] @ torch.tanh(pooler.hidden.weight @ h + pooler.hidden.bias)
            )
            for h in states
        ]
        total = sum(math.exp(score) for score in scores)
        return sum(h * (math.exp(s) / total) for h, s in zip(states, scores, strict=True))
    return torch.cat([plain(part, states, n_forward) for part in pooler.parts])


def encode(lengths, fill=0.0, n_forward=H // 2, seed=0):
    structure = Sequences.of(lengths)
    states = torch.randn(
        len(lengths), structure.size, H, generator=torch.Generator().manual_seed(seed)
    )
    states = structure.blank(states, fill).requires_grad_()
    return Encoded(states, structure, n_forward)


@pytest.fixture(params=BUILDERS)
def pooler(request):
    torch.manual_seed(1)
    return BUILDERS[request.param](H)


LENGTHS = st.lists(st.integers(0, 4), min_size=1, max_size=4)


@given(lengths=LENGTHS, fill=st.sampled_from([0.0, 1e9, math.nan]), causal=st.booleans())
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("name", BUILDERS)
def test_against_one_document_at_a_time(name, lengths, fill, causal):
    torch.manual_seed(1)
    pooler = BUILDERS[name](H)
    encoded = encode(lengths, fill, n_forward=H if causal else H // 2)
    output = pooler(encoded)
    assert output.shape == (len(lengths), pooler.n_out)
    for row, states, n in zip(output, encoded.states, lengths, strict=True):
        with torch.no_grad():
            expected = plain(pooler, states[:n], encoded.n_forward)
        torch.testing.assert_close(row, expected, atol=1e-5, rtol=1e-5)


@given(lengths=LENGTHS)
@settings(max_examples=15, deadline=None)
@pytest.mark.parametrize("name", BUILDERS)
def test_gradients_reach_all_nodes_and_no_padding(name, lengths):
    torch.manual_seed(1)
    pooler = BUILDERS[name](H)
    encoded = encode(lengths)
    (gradient,) = torch.autograd.grad(pooler(encoded).square().sum(), encoded.states)
    assert torch.isfinite(gradient).all()
    assert (gradient[~encoded.mask] == 0).all()
    for row, n in zip(gradient, lengths, strict=True):
        assert n == 0 or row.abs().sum() > 0


def test_all_documents_empty(pooler):
    encoded = encode([0, 0])
    output = pooler(encoded)
    assert torch.equal(output, torch.zeros(2, pooler.n_out))
    output.sum().backward()
    assert encoded.states.grad.shape == (2, 0, H)


def test_a_training_step_runs_without_data(pooler):
    lengths = torch.tensor([3, 0, 1])
    states = torch.randn(3, 3, H, device="meta", requires_grad=True)
    pooler.to("meta")(Encoded(states, Sequences(lengths.to("meta"), 3), H // 2)).sum().backward()
    assert states.grad.is_meta


def test_builders_and_modules_can_be_copied(pooler):
    encoded = encode([3, 1])
    for copied in (pickle.loads(pickle.dumps(pooler)), copy.deepcopy(pooler)):
        assert torch.equal(copied(encoded), pooler(encoded))
    for builder in BUILDERS.values():
        assert pickle.loads(pickle.dumps(builder))(H).n_out == builder(H).n_out


def test_attention_weights_can_be_read_back():
    pooler = Attention()(H)
    encoded = encode([3, 0, 1])
    weights = pooler.weights(encoded)
    assert weights.shape == (3, 3)
    assert (weights[encoded.mask] > 0).all()
    assert (weights[~encoded.mask] == 0).all()
    torch.testing.assert_close(weights.sum(1), torch.tensor([1.0, 0.0, 1.0]))
    expected = (weights.unsqueeze(-1) * encoded.states).sum(1)
    torch.testing.assert_close(pooler(encoded), expected)


def test_concatenation_adds_up_widths():
    pooler = BUILDERS["Concat"](H)
    assert pooler.n_out == 3 * H
    assert pooler(encode([2, 1])).shape == (2, 3 * H)


def test_concatenation_of_nothing():
    with pytest.raises(SettingsError) as error:
        Concat({})
    assert str(error.value) == (
        "rnnpipe.Concat.v1, parts: expected at least one pooler, got no parts. Add a block such as "
        "[components.textcat.model.pooler.parts.max] under it."
    )
