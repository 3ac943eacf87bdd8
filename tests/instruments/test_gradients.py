"""Gradients by time lag: against closed forms, finite differences, and the whole Jacobian."""

from functools import partial

import numpy as np
import pytest
import spacy
import torch
from helpers.small_pipelines import entity_recognizer, language_model, text_classifier
from torch.autograd.functional import jacobian

from rnnpipe.errors import CorpusError, SettingsError, StructureError
from rnnpipe.instruments.encoders import encoder_on_text
from rnnpipe.instruments.gradients import (
    Chain,
    GradientCurve,
    chains,
    fresh_encoder,
    gradient_curve,
)
from rnnpipe.parts.encoders.sequence.cell import Dense, Diagonal
from rnnpipe.parts.encoders.sequence.recurrent import Recurrent
from rnnpipe.structures import Sequences

WIDTH, N_IN = 5, 3
TEXT = "the rose is red, the sky is blue, and so are you"


def inputs(n=60):
    return torch.randn(n, N_IN, generator=torch.Generator().manual_seed(0)).double()


def curve(chain, lags=6, places=4, seed=0):
    return gradient_curve(chain, lags, places, seed, "text.txt")


def nearly_linear(scale):
    """An RNN with ``U = scale * Q`` whose states are so small that tanh is the identity."""
    encoder = fresh_encoder("rnnpipe.RNN.v1", N_IN, WIDTH, 0)
    with torch.no_grad():
        encoder.layers[0].input_weight.mul_(1e-6)
        encoder.layers[0].hidden.weight.mul_(scale)
    return encoder


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_a_linear_network_shrinks_or_grows_gradients_by_its_singular_value(scale):
    (chain,) = chains("rnn", nearly_linear(scale), inputs())
    found = curve(chain)
    np.testing.assert_allclose(found.norm, scale ** np.arange(1, 7), rtol=1e-4)
    np.testing.assert_allclose(found.low, found.high, rtol=1e-4)
    assert found.singular_value == pytest.approx(scale, rel=1e-5)
    assert found.per_step == pytest.approx(scale, rel=1e-4)
    assert found.lag_of(0.5 + 1e-3) == (2 if scale == 0.5 else None)
    assert found.lag_of(1.0) == 1


def test_norms_are_those_of_finite_differences():
    """With states of one unit there are but two directions, and the Jacobian is a number."""
    encoder = fresh_encoder("rnnpipe.RNN.v1", N_IN, 1, 0)
    x, lags, small = inputs(8), 4, 1e-6
    (chain,) = chains("rnn", encoder, x)
    found = curve(chain, lags, places=1)

    def last(k, nudge):
        state = encoder.start(1)
        for t in range(8):
            if t == 8 - k:
                state = ((state[0][0] + nudge,),)
            h, state = encoder.step(x[t : t + 1], state)
        return float(h)

    slopes = [(last(k, small) - last(k, -small)) / (2 * small) for k in range(1, lags + 1)]
    np.testing.assert_allclose(found.norm, np.abs(slopes), rtol=1e-6)


@pytest.mark.parametrize("name", ["GRU", "LSTM"])
def test_the_mean_over_directions_is_the_norm_of_the_whole_jacobian(name):
    encoder = fresh_encoder(f"rnnpipe.{name}.v1", N_IN, WIDTH, 0)
    x, lags = inputs(6), 3
    (chain,) = chains(name, encoder, x)
    square = np.mean([curve(chain, lags, 1, seed).norm ** 2 for seed in range(150)], 0)
    state = encoder.start(1)
    for t in range(3):
        _, state = encoder.step(x[t : t + 1], state)

    def last(*tensors):
        state = (tensors,)
        for t in range(3, 6):
            h, state = encoder.step(x[t : t + 1], state)
        return h

    parts = jacobian(last, state[0])  # of h, and of c if there is one
    whole = sum(part.square().sum() for part in parts) / WIDTH
    assert square[-1] == pytest.approx(float(whole), rel=0.25)


def test_an_lstm_with_open_gates_remembers_and_an_rnn_does_not():
    norms = {}
    for name in ("RNN", "LSTM"):
        encoder = fresh_encoder(f"rnnpipe.{name}.v1", N_IN, WIDTH, 0)
        with torch.no_grad():
            encoder.layers[0].hidden.weight.mul_(0.5)
            if name == "LSTM":
                encoder.layers[0].bias[..., WIDTH : 2 * WIDTH] = 5.0  # the forget gate
        (chain,) = chains(name, encoder, inputs())
        norms[name] = curve(chain, lags=20).norm[-1]
    assert norms["RNN"] < 1e-5
    assert norms["LSTM"] > 1e-3


def test_fresh_encoders_have_the_order_of_the_textbook():
    """Of the command's defaults, with inputs of some size: see docs/instruments.md."""
    factors = []
    for name, settings in (
        ("RNN", {"recurrent_init": "uniform"}),
        ("RNN", {}),
        ("GRU", {"update_bias": 4}),
        ("LSTM", {"forget_bias": 4}),
    ):
        encoder = fresh_encoder(f"rnnpipe.{name}.v1", N_IN, 32, 0, **settings)
        (chain,) = chains(name, encoder, inputs())
        factors.append(curve(chain, lags=20).per_step)
    uniform, orthogonal, gru, lstm = factors
    assert uniform < 0.6
    assert 0.7 < orthogonal < 0.95 < gru < 1.0
    assert lstm > 0.95


def test_a_bidirectional_encoder_has_a_chain_for_each_layer_and_direction():
    nlp = entity_recognizer(encoder="BiGRU", depth=2, skip=True)
    encoder, x = encoder_on_text(nlp, nlp.get_pipe("ner"), TEXT)
    found = chains("ner", encoder, x)
    assert [chain.name for chain in found] == [
        "ner, layer 0 forward",
        "ner, layer 0 backward",
        "ner, layer 1 forward",
        "ner, layer 1 backward",
    ]
    states = encoder(x[None], Sequences.of([len(x)])).states[0]
    forward, backward = found[2:]
    for chain, expected in ((forward, states[:, :8]), (backward, states[:, 8:].flip(0))):
        state, h = chain.stepper.start(1), []
        for row in chain.inputs:
            h_t, state = chain.stepper.step(row[None], state)
            h.append(h_t[0])
        torch.testing.assert_close(torch.stack(h), expected)
    assert forward.singular_value != backward.singular_value


class Third(torch.nn.Module):
    """A causal encoder of someone else: a leaky sum. Its state has a counter besides."""

    structure, causal, n_out = Sequences, True, N_IN

    def start(self, batch_size):
        zeros = torch.zeros(batch_size, N_IN, dtype=torch.float64)
        return zeros, torch.zeros(batch_size, dtype=torch.int64)

    def step(self, x, state):
        h = 0.9 * state[0] + x
        return h, (h, state[1] + 1)

    def reorder(self, state, rows):
        return tuple(s[rows] for s in state)


def test_any_causal_encoder_can_be_measured():
    (chain,) = chains("third", Third(), inputs())
    found = curve(chain)
    np.testing.assert_allclose(found.norm, 0.9 ** np.arange(1, 7))
    assert found.singular_value is None
    assert found.as_json()["largest_singular_value"] is None


def test_a_network_that_passes_nothing_on():
    (chain,) = chains("rnn", nearly_linear(0.0), inputs())
    found = curve(chain)
    assert found.norm.max() == 0.0
    assert found.per_step == 0.0


def test_an_encoder_that_cannot_be_followed():
    with pytest.raises(StructureError) as error:
        chains("tree", fresh_encoder("rnnpipe.TreeGRU.v1", N_IN, WIDTH, 0), inputs())
    assert str(error.value).startswith(
        "tree: expected an encoder of Sequences that can run step by step, got 'TreeEncod"
    )


def test_a_text_that_is_too_short():
    (chain,) = chains("third", Third(), inputs(11))
    assert isinstance(curve(chain, lags=5), GradientCurve)
    with pytest.raises(CorpusError) as error:
        curve(chain, lags=6)
    assert str(error.value) == (
        "text.txt: expected at least 12 symbols or tokens, twice the number of lags, got 11. "
        "Use a longer text, or fewer lags."
    )


def test_places_are_measured_one_by_one():
    """Neither the number of places nor what is computed at once changes a place's norms."""
    chain = Chain("third", Third(), inputs(), None)
    np.testing.assert_allclose(curve(chain, places=40).norm, curve(chain, places=2).norm)


@pytest.mark.parametrize("kind", [partial(Dense, norm=torch.nn.Identity()), Diagonal])
def test_the_largest_singular_value_of_each_gate(kind):
    matrices = kind(width=4, gates=3, directions=2, norm=torch.nn.Identity())
    with torch.no_grad():
        matrices.weight.normal_()
    blocks = matrices.weight.detach().split(4, dim=2)
    if isinstance(matrices, Diagonal):
        blocks = [torch.diag_embed(block[:, 0]) for block in blocks]
    expected = torch.stack([torch.linalg.svdvals(block)[:, 0] for block in blocks], 1)
    torch.testing.assert_close(matrices.singular_values().detach(), expected)


@pytest.mark.parametrize(
    ("nlp", "name", "nodes"),
    [
        (language_model, "lm", len(TEXT) + 1),
        (lambda: language_model("words"), "lm", 15),
        (text_classifier, "cat", 14),
        (entity_recognizer, "ner", 14),
    ],
)
def test_what_an_encoder_is_given_is_what_it_is_given_at_prediction(nlp, name, nodes):
    nlp = nlp()
    pipe = nlp.get_pipe(name)
    encoder, vectors = encoder_on_text(nlp, pipe, TEXT)
    assert vectors.shape == (nodes, 12)
    trained = pipe.model.shims[0].module.encoder
    seen = []
    hook = trained.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    nlp(TEXT)
    hook.remove()
    (given,) = torch.cat(seen, dim=1)
    torch.testing.assert_close(given, vectors[: len(given)].float())
    assert trained is not encoder
    if isinstance(encoder, Recurrent):
        assert encoder.layers[0].bias.dtype == torch.float64
        assert trained.layers[0].bias.requires_grad


def test_an_encoder_of_something_else_than_sequences():
    nlp = spacy.blank("en")
    model = {
        "structure": {"@rnnpipe_structures": "rnnpipe.DependencyTree.v1"},
        "encoder": {"@rnnpipe_encoders": "rnnpipe.ChildSumTreeLSTM.v1", "width": 4},
    }
    pipe = nlp.add_pipe("rnn_tagger", config={"model": model})
    with pytest.raises(SettingsError) as error:
        encoder_on_text(nlp, pipe, "a")
    assert str(error.value) == (
        "components.rnn_tagger.model.structure: expected no structure: tokens in a row, got "
        "'DependencyTrees'. Choose another component."
    )
