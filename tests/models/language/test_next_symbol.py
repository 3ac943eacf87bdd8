"""One symbol at a time is all at once, and the fast way is the plain one."""

import numpy as np
import pytest
import torch
from helpers.small_language_model import model, text

from rnnpipe.contracts.types import NextSymbol
from rnnpipe.models.language import folded_lstm
from rnnpipe.models.language.folded_lstm import FoldedLSTM
from rnnpipe.models.language.next_symbol import SteppedModel, next_symbol, state_after
from rnnpipe.parts.encoders.sequence.recurrent import GRU, LSTM
from rnnpipe.parts.outputs.adaptive import AdaptiveSoftmax
from rnnpipe.parts.outputs.full import TiedSoftmax

FOLDED = [LSTM(width=7), LSTM(width=7, depth=3), LSTM(width=7, depth=2, recurrent_dropout=0.5)]
STEPPED = [GRU(width=7), LSTM(width=7, depth=2, residual=True), LSTM(width=7, layer_norm=True)]


def in_log(logits):
    return logits.log_softmax(-1)


@torch.no_grad()
@pytest.mark.parametrize("encoder", [*FOLDED, *STEPPED])
def test_steps_equal_the_scores_of_a_whole_text(encoder):
    network = model(encoder).eval()
    steps = next_symbol(network)
    assert isinstance(steps, NextSymbol)
    assert isinstance(steps, FoldedLSTM) == (encoder in FOLDED)
    texts = [text(9, seed=seed) for seed in range(3)]
    state, got = steps.begin(3), []
    for i in range(9):
        logits, state = steps.advance(torch.tensor([t.inputs[i] for t in texts]), state)
        got.append(in_log(logits)[torch.arange(3), [t.targets[i] for t in texts]])
    want = np.stack(network.log_likelihoods(texts), axis=1)
    np.testing.assert_allclose(torch.stack(got), want, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("encoder", [*FOLDED, *STEPPED])
@pytest.mark.parametrize("length", [0, 1, 11])
def test_a_prompt_is_read_at_once(encoder, length):
    network = model(encoder, max_length=4).eval()
    steps = next_symbol(network)
    prompt = text(length).inputs
    state = steps.begin(1)
    for symbol in prompt:
        _, state = steps.advance(torch.tensor([symbol]), state)
    for reached in (state, state_after(network, steps, prompt)):
        logits, _ = steps.advance(torch.tensor([2]), reached)
        want, _ = SteppedModel(network, []).advance(
            torch.tensor([2]), network.read(prompt, network.encoder.start(1))
        )
        torch.testing.assert_close(in_log(logits), want, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("encoder", [LSTM(width=7, depth=2), GRU(width=7)])
def test_rows_are_independent_and_old_states_stay_as_they_were(encoder):
    steps = next_symbol(model(encoder).eval())
    _, state = steps.advance(torch.tensor([2, 3, 4]), steps.begin(3))
    rows = torch.tensor([2, 0, 0, 1])
    symbols = torch.tensor([5, 6, 2, 3])
    first, _ = steps.advance(symbols, steps.reorder(state, rows))
    again, _ = steps.advance(symbols, steps.reorder(state, rows))
    torch.testing.assert_close(first, again, atol=0, rtol=0)
    for row in range(4):
        one = steps.reorder(state, rows[row : row + 1])
        alone, _ = steps.advance(symbols[row : row + 1], one)
        torch.testing.assert_close(alone[0], first[row], atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("encoder", [LSTM(width=6), GRU(width=6)])
def test_forbidden_symbols(encoder):
    for output in (TiedSoftmax(), AdaptiveSoftmax(cutoffs=[3])):
        network = model(encoder, output=output).eval()
        free, _ = next_symbol(network).advance(torch.tensor([0]), next_symbol(network).begin(1))
        steps = next_symbol(network, forbidden=[0, 1])
        logits, _ = steps.advance(torch.tensor([0]), steps.begin(1))
        assert (logits[0, :2] == -torch.inf).all()
        torch.testing.assert_close(in_log(logits[0, 2:]), in_log(free[0, 2:]))


def test_folded_weights_are_copies():
    network = model().eval()
    steps = next_symbol(network)
    before, _ = steps.advance(torch.tensor([2]), steps.begin(1))
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
    after, _ = steps.advance(torch.tensor([2]), steps.begin(1))
    torch.testing.assert_close(before, after, atol=0, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "numpy"])
@pytest.mark.parametrize("rows", [1, 4, 6, 13])
@pytest.mark.parametrize("width", [7, 8])
def test_folded_steps_are_the_encoders(compiled, rows, width, monkeypatch):
    network = model(LSTM(width=width, depth=2)).eval()
    folded, plain = next_symbol(network, [1]), SteppedModel(network, [1])
    if not compiled:
        monkeypatch.setattr(folded_lstm, "kernels", lambda module: None)
    generator = torch.Generator().manual_seed(rows)
    one, other = folded.begin(rows), plain.begin(rows)
    for _ in range(4):
        symbols = torch.randint(7, (rows,), generator=generator)
        logits, one = folded.advance(symbols, one)
        want, other = plain.advance(symbols, other)
        torch.testing.assert_close(in_log(logits), in_log(want), atol=1e-5, rtol=1e-4)
