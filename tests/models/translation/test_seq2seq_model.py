"""The model equals its equations, whatever the batch and the way it is computed."""

import numpy as np
import pytest
import torch
from helpers.small_seq2seq import FACTS, MODELS, model, pair, pairs, plainly
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.errors import SettingsError, StructureError
from rnnpipe.models.translation.bridge import Bridge
from rnnpipe.models.translation.model import Seq2Seq
from rnnpipe.parts.attentions.dot import Dot
from rnnpipe.parts.attentions.general import General
from rnnpipe.parts.encoders.sequence.bidirectional import BiLSTM
from rnnpipe.parts.encoders.sequence.recurrent import GRU, LSTM
from rnnpipe.parts.outputs.sampled import SampledSoftmax
from rnnpipe.structures import Sequences

SIZES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=5)


@torch.no_grad()
def aligned(network, batch):
    return network.eval().align(batch)


def gradients(network):
    return {name: p.grad.clone() for name, p in network.named_parameters()}


@pytest.mark.parametrize("kind", MODELS)
def test_it_equals_its_equations_step_by_step(kind):
    network = model(kind)
    batch = pairs((4, 3), (0, 2), (1, 0), (6, 7), (3, 1), (0, 0))
    for one, got in zip(batch, aligned(network, batch), strict=True):
        scores, looks = plainly(network, one)
        np.testing.assert_allclose(got.log_probabilities, scores, atol=1e-5)
        if network.attend is None:
            assert got.attention is None
        else:
            assert got.attention.shape == (len(one.target), len(one.source))
            np.testing.assert_allclose(
                got.attention, np.array(looks).reshape(got.attention.shape), atol=1e-5
            )


@pytest.mark.parametrize("kind", MODELS)
@given(sizes=SIZES)
@settings(max_examples=8, deadline=None)
def test_a_pair_does_not_depend_on_its_batch(kind, sizes):
    batch = pairs(*sizes)
    networks = [model(kind), model(kind, max_padded_symbols=6)]
    alone = [aligned(networks[0], [one])[0] for one in batch]
    for network in networks:
        for got, want in zip(aligned(network, batch), alone, strict=True):
            np.testing.assert_allclose(got.log_probabilities, want.log_probabilities, atol=1e-5)
            if want.attention is not None:
                np.testing.assert_allclose(got.attention, want.attention, atol=1e-5)


@pytest.mark.parametrize("kind", MODELS)
def test_gradients_are_those_of_each_pair_added_up(kind):
    batch = pairs((4, 3), (0, 2), (6, 0), (2, 7))
    network = model(kind, label_smoothing=0.1)
    total = network.accumulate_gradients(batch, scale=0.5)
    scores = aligned(network, batch)
    assert float(total) == pytest.approx(-sum(s.log_probabilities.sum() for s in scores), abs=1e-4)
    together = gradients(network.train())
    network.zero_grad()
    for one in batch:
        network.accumulate_gradients([one], scale=0.5)
    for name, gradient in gradients(network).items():
        torch.testing.assert_close(gradient, together[name], atol=1e-5, rtol=1e-4)


def test_label_smoothing_spreads_a_share_of_the_truth():
    network = model(label_smoothing=0.3)
    one = pair(3, 2)
    states, _ = network._decode([one], network.encode([one.source]))
    loss, nats = network._loss(states, [one])
    log_p = network.output.log_probabilities(states.flatten(0, 1))
    truth = torch.full_like(log_p, 0.3 / log_p.shape[1])
    truth[range(3), one.target.targets] += 0.7
    assert float(loss.detach()) == pytest.approx(-float((truth * log_p).sum().detach()), abs=1e-5)
    assert float(nats.detach()) == pytest.approx(
        -aligned(network, [one])[0].log_probabilities.sum(), abs=1e-5
    )


def test_a_sample_of_symbols_cannot_share_the_truth():
    with pytest.raises(SettingsError) as error:
        model(output=SampledSoftmax(samples=3), label_smoothing=0.1)
    assert str(error.value) == (
        "label_smoothing: expected 0 with rnnpipe.SampledSoftmax.v1, which does not score all "
        "symbols, got 0.1. Remove label_smoothing, or use "
        "rnnpipe.FullSoftmax.v1."
    )


def test_a_symbol_does_not_depend_on_those_after_it():
    one, other = pair(4, 6), pair(4, 6)
    other.target.inputs[4:] = 1
    other.target.targets[3:] = 1
    for kind in MODELS:
        a, b = (x.log_probabilities for x in aligned(model(kind), [one, other]))
        np.testing.assert_allclose(a[:3], b[:3], atol=1e-6)
        assert abs(a[4:] - b[4:]).max() > 1e-4


@pytest.mark.parametrize("kind", MODELS)
def test_the_source_matters(kind):
    one, other = pair(4, 6), pair(4, 6)
    other.source[2] = 7 if other.source[2] != 7 else 6
    a, b = (x.log_probabilities for x in aligned(model(kind), [one, other]))
    assert abs(a - b).max() > 1e-5


@pytest.mark.parametrize("kind", MODELS)
def test_a_training_step_runs_without_data(kind):
    with torch.device("meta"):
        network = model(kind, dropout=0.5, label_smoothing=0.1)
    total = network.train().accumulate_gradients(pairs((4, 3), (0, 2), (3, 0)))
    assert total.device.type == "meta"
    assert all(p.grad is not None for p in network.parameters())


def test_dropout_and_evaluation():
    network = model(dropout=0.5)
    batch = pairs((4, 3), (2, 5))
    losses = {float(network.train().accumulate_gradients(batch)) for _ in range(3)}
    assert len(losses) == 3
    one, two = (aligned(network, batch)[0].log_probabilities for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_dropout_between_layers_counts_with_input_feeding_too():
    decoder = LSTM(width=4, depth=2, dropout=0.5)
    network = model(decoder=decoder, input_feeding=True)
    assert len({float(network.accumulate_gradients(pairs((4, 6)))) for _ in range(3)}) == 3


def test_states_are_handed_over_where_they_fit():
    assert model("same states").bridge.direct
    assert not list(model("same states").bridge.parameters())
    assert not model("reversed", decoder=GRU(width=4)).bridge.direct
    assert not model(encoder=LSTM(width=3)).bridge.direct


def test_a_state_of_any_shape_is_filled():
    class Counting(torch.nn.Module):
        """Its state: how many nodes, and a matrix."""

        n_out, causal = 4, True
        structure = Sequences

        def start(self, batch_size):
            return torch.zeros(batch_size, dtype=torch.int64), (torch.zeros(batch_size, 2, 3),)

        def step(self, x, state):
            return x, state

        def reorder(self, state, rows):
            return state

    encoder, decoder = BiLSTM(width=3)(5), Counting()
    encoded = encoder(torch.randn(2, 3, 5), Sequences.of([3, 2]))
    bridge = Bridge(encoder, decoder)
    count, (matrix,) = bridge(encoded, decoder.start(2))
    assert count.tolist() == [0, 0]
    want = torch.tanh(bridge.projections[0](encoded.final)).view(2, 2, 3)
    torch.testing.assert_close(matrix, want)


def test_one_vocabulary_has_one_embedding():
    shared = model("shared")
    assert shared.source_embedding is shared.target_embedding
    assert shared.output.weight is shared.target_embedding.weight


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        (
            {"decoder": BiLSTM(width=4)},
            StructureError,
            "decoder: expected a causal enc.*got Bidirectional",
        ),
        (
            {"attention": None, "input_feeding": True},
            SettingsError,
            "input_feeding: expected false without attention, got True. Set attention",
        ),
        (
            {"reverse_source": True},
            SettingsError,
            "reverse_source: expected false for a bidirectional encoder",
        ),
        ({"attention": Dot()}, SettingsError, r"as wide as the encoder's \(6\), got 4"),
    ],
)
def test_settings_that_contradict(changes, error, text):
    with pytest.raises(error, match=text):
        model(**changes)


def test_an_encoder_of_something_else():
    class OfTrees(torch.nn.Module):
        n_out, causal, structure = 4, False, dict

    builder_settings = {"encoder": lambda n_in: OfTrees(), "attention": General()}
    with pytest.raises(StructureError, match="encoder: expected an encoder of sequences"):
        model(**builder_settings)


def test_facts_make_the_same_model():
    network = model()
    assert isinstance(network, Seq2Seq)
    assert network.source_embedding.weight.shape == (len(FACTS["source"]["characters"]) + 2, 5)
