"""Penalties on activations, and what is read in training in place of the true text."""

import numpy as np
import pytest
import torch
from helpers.small_language_model import model, text

from rnnpipe.contracts.types import BOUNDARY, UNKNOWN, Place, Text
from rnnpipe.models.language.exposure import ScheduledSampling, draw, drop_symbols
from rnnpipe.parts.encoders.sequence.recurrent import GRU


def weight_gradient(network, texts):
    network.accumulate_gradients(texts)
    return network.encoder.cells[0].hidden.weight.grad.clone()


def states_of(network, one):
    inputs = network.embedding.weight[one.inputs].unsqueeze(0)
    state, states = network.encoder.start(1), []
    for t in range(len(one)):
        h, state = network.encoder.step(inputs[:, t], state)
        states.append(h[0])
    return torch.stack(states)


@pytest.mark.parametrize("kind", ["activation", "temporal"])
def test_penalties_by_their_equations(kind):
    texts = [text(5, seed=1), text(1, seed=2), text(3, seed=3)]
    plain, penalised = model(GRU(width=7)), model(GRU(width=7), **{f"{kind}_regularisation": 3.0})
    got = weight_gradient(penalised, texts) - weight_gradient(plain, texts)
    total = 0.0
    for one in texts:
        states = states_of(plain, one)
        terms = states if kind == "activation" else states[1:] - states[:-1]
        total = total + 3.0 * terms.square().sum() / 7
    (want,) = torch.autograd.grad(total, plain.encoder.cells[0].hidden.weight)
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-3)


def test_the_loss_that_is_shown_is_the_cross_entropy():
    losses = [
        float(model(activation_regularisation=a).accumulate_gradients([text(5)])) for a in (0, 2)
    ]
    assert losses[0] == losses[1]


def test_dropped_activations_are_what_is_penalised():
    network = model(GRU(width=7), activation_regularisation=1.0, dropout=0.5).train()
    seen = []
    score = network.output.score
    network.output.score = lambda x, targets: seen.append(x) or score(x, targets)
    _, encoded, dropped = network._score([text(6)], 0, network.encoder.start(1))
    assert torch.equal(seen[0], dropped[0])
    want = dropped.square().mean(-1).sum()
    torch.testing.assert_close(network._penalty(encoded, dropped), want)


def test_dropped_symbols_are_unknown_but_never_the_boundary():
    symbols = torch.arange(2, 1002).view(10, 100)
    symbols[:, 0] = BOUNDARY
    dropped = drop_symbols(symbols, 0.3)
    assert (dropped[:, 0] == BOUNDARY).all()
    changed = dropped != symbols
    assert (dropped[changed] == UNKNOWN).all()
    assert 0.2 < changed[:, 1:].double().mean() < 0.4


def inputs_read(network, texts, training=True):
    """The vectors that the encoder read in its last pass."""
    seen = []
    hook = network.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network.train(training).accumulate_gradients(texts)
    hook.remove()
    return seen[-1].detach()


def test_what_is_read_in_training_is_disturbed_and_nothing_else():
    one = Text(np.full(200, 3), np.full(200, 3))
    network = model(word_dropout=0.4)
    read, true, unknown = inputs_read(network, [one])[0], *network.embedding.weight[[3, UNKNOWN]]
    is_unknown = (read == unknown).all(-1)
    assert ((read == true).all(-1) | is_unknown).all()
    assert 0.25 < is_unknown.double().mean() < 0.55
    assert (inputs_read(network, [one], training=False)[0] == true).all()
    with torch.no_grad():
        scores = [n.eval().log_likelihoods([one])[0] for n in (network, model())]
    np.testing.assert_array_equal(*scores)


def test_probabilities_of_what_is_drawn():
    log_p = torch.tensor([0.1, 0.0, 0.6, 0.3]).log().expand(20_000, 4)
    share = draw(log_p + 5.0).bincount(minlength=4) / 20_000
    torch.testing.assert_close(share, log_p[0].exp(), atol=0.02, rtol=0)


def test_scheduled_sampling_grows_with_the_updates_and_shifts_by_one():
    sampling = ScheduledSampling(0.8, ramp=10)
    symbols, drawn = torch.zeros(50, 40).long(), torch.arange(40).expand(50, 40) + 1
    shares = []
    for updates in (0, 5, 10, 99):
        sampling.updates.fill_(updates)
        mixed = sampling.mix(symbols, drawn)
        assert (mixed[:, 0] == symbols[:, 0]).all()
        changed = mixed != symbols
        # What the model drew after symbol t stands in the place of symbol t + 1.
        assert (mixed[changed] == torch.arange(40).expand(50, 40)[changed]).all()
        shares.append(float(changed[:, 1:].double().mean()))
    assert shares == pytest.approx([0.0, 0.4, 0.8, 0.8], abs=0.05)


def test_a_model_that_is_sure_of_the_truth_reads_the_truth():
    network = model(scheduled_sampling=0.9)
    with torch.no_grad():
        network.output.bias[4] = 100.0  # it always draws 4
    one = Text(np.array([0, 4, 4, 4, 4]), np.array([4, 4, 4, 4, 4]))
    vectors = network.embedding.weight.detach()
    assert torch.equal(inputs_read(network, [one])[0], vectors[one.inputs])
    other = Text(np.array([0, *[3] * 99]), np.array([3] * 100))
    read = inputs_read(network, [other])[0]
    assert torch.equal(read[0], vectors[0])
    is_drawn = (read[1:] == vectors[4]).all(-1)
    assert (is_drawn | (read[1:] == vectors[3]).all(-1)).all()
    assert 0.75 < is_drawn.double().mean() <= 1.0


def test_updates_are_counted_and_saved_only_where_they_matter():
    network = model(scheduled_sampling=0.5, sampling_ramp=100)
    for _ in range(3):
        network.train().accumulate_gradients([text(4), text(2)])
    assert network.state_dict()["sampling.updates"] == 3
    assert "sampling.updates" not in model().state_dict()


def test_chunks_of_streams_go_on_from_what_was_read():
    """The carried state is that of the pass that learnt, not of the one that drew."""
    network = model(GRU(width=7), word_dropout=0.5, scheduled_sampling=0.5).train()
    seen = []
    network.encoder.register_forward_hook(lambda *call: seen.append(call[-1].state[0][0].detach()))
    one = text(8)
    network.accumulate_gradients([Text(one.inputs[:4], one.targets[:4], Place(0, 0, 4))])
    assert len(seen) == 2
    assert torch.equal(network.memory.state_0, seen[-1])


def test_a_disturbed_training_step_never_waits_for_the_device():
    settings = {"scheduled_sampling": 0.5, "word_dropout": 0.2, "activation_regularisation": 2.0}
    with torch.device("meta"):
        network = model(**settings, temporal_regularisation=1.0, max_length=3).train()
    loss = network.accumulate_gradients([text(8), text(5), text(2)])
    assert loss.device.type == "meta"
    assert all(p.grad is not None for p in network.parameters())


@torch.no_grad()
def test_drawn_targets_follow_the_model():
    network = model(max_length=40).eval()
    one = Text(np.full(300, 2), np.zeros(300, dtype=np.int64))
    drawn, empty = network.with_drawn_targets([one, text(0)])
    assert len(empty) == 0 and (drawn.inputs == one.inputs).all()
    state = network.encoder.start(1)
    for _ in range(100):  # the state soon stays as it is
        h, state = network.encoder.step(network.embedding.weight[2:3], state)
    want = network.output.log_probabilities(h)[0].exp()
    share = torch.from_numpy(drawn.targets).bincount(minlength=7) / 300
    torch.testing.assert_close(share, want, atol=0.1, rtol=0)
