"""What is dropped where: between layers, and on the way to the next step."""

import copy

import pytest
import torch
from helpers.encoder_oracle import make

from rnnpipe.layers.dropout import Dropout, set_dropout_rate
from rnnpipe.parts.encoders.sequence import stack
from rnnpipe.parts.encoders.sequence.cell import Recurrence
from rnnpipe.structures import Sequences

LENGTHS = [6, 0, 4, 5]


def layer_inputs_and_outputs(monkeypatch, encoder):
    """What each layer read and gave in one pass, as padded batches, and its recurrent mask; and
    the encoder's states."""
    structure = Sequences.of(LENGTHS)
    seen = []
    real = stack.run_layer

    def recorded(cell, rows, initial, steps, mask):
        states, final = real(cell, rows, initial, steps, mask)
        seen.append((steps.unpack(rows, structure), steps.unpack(states, structure), mask))
        return states, final

    monkeypatch.setattr(stack, "run_layer", recorded)
    states = encoder(torch.randn(len(LENGTHS), 6, 3).double(), structure).states
    monkeypatch.undo()
    return seen, states


def kept_between(seen):
    """1 where the second layer was given what the first made, 0 where nothing, -1 at padding; and
    the scale."""
    (_, below, _), (above, _, _) = seen
    mask = Sequences.of(LENGTHS).mask
    ratio = (above[..., : below.shape[-1]] / below)[mask]
    scale = ratio.max().item()
    assert ((ratio == 0) | ((ratio - scale).abs() < 1e-9)).all()
    full = torch.full_like(below, -1.0)
    full[mask] = (ratio > 0).double()
    return full, scale


@pytest.mark.parametrize("case", ["LSTM", "BiGRU"])
def test_locked_dropout_has_one_mask_for_all_steps(monkeypatch, case):
    encoder = make(case, width=50, depth=2, dropout=0.4, locked=True).train()
    kept, scale = kept_between(layer_inputs_and_outputs(monkeypatch, encoder)[0])
    assert scale == pytest.approx(1 / 0.6)
    masks = []
    for row, n in zip(kept, LENGTHS, strict=True):
        if n:
            assert (row[:n] == row[0]).all()
            masks.append(row[0])
    assert len(masks) == 3 and not torch.equal(masks[0], masks[1])
    assert 0.4 < torch.cat(masks).mean() < 0.8


def test_dropout_draws_anew_at_every_step_otherwise(monkeypatch):
    encoder = make("LSTM", width=50, depth=2, dropout=0.4).train()
    kept, scale = kept_between(layer_inputs_and_outputs(monkeypatch, encoder)[0])
    assert scale == pytest.approx(1 / 0.6)
    assert not torch.equal(kept[0, 0], kept[0, 1])


@pytest.mark.parametrize("locked", [True, False])
def test_the_loops_rate_applies_where_none_is_set(monkeypatch, locked):
    encoder = make("LSTM", width=50, depth=2, locked=locked).train()
    kept, _ = kept_between(layer_inputs_and_outputs(monkeypatch, encoder)[0])
    assert (kept != 0).all()
    set_dropout_rate(encoder, 0.5)
    kept, scale = kept_between(layer_inputs_and_outputs(monkeypatch, encoder)[0])
    assert scale == pytest.approx(2.0)
    assert 0.3 < kept[kept >= 0].mean() < 0.7


def test_the_nodes_that_a_skip_connection_brings_are_not_dropped(monkeypatch):
    encoder = make("LSTM", width=50, depth=2, dropout=0.4, skip=True).train()
    seen, _ = layer_inputs_and_outputs(monkeypatch, encoder)
    assert torch.equal(seen[1][0][..., 50:], seen[0][0])


@pytest.mark.parametrize("case", ["LSTM", "BiGRU"])
def test_recurrent_dropout_has_one_mask_for_all_steps_of_a_document(monkeypatch, case):
    encoder = make(case, width=50, depth=2, recurrent_dropout=0.25).train()
    (first, second), _ = layer_inputs_and_outputs(monkeypatch, encoder)
    for _, _, mask in (first, second):
        assert mask.shape == (encoder.directions, len(LENGTHS), 50)
        assert set(mask.unique().tolist()) == {0.0, 1 / 0.75}
    assert not torch.equal(first[2], second[2])
    # A loop over steps in which the mask stands once and for all gives the same states.
    cell = encoder.layers[0]
    for d, (document, n) in enumerate(zip(first[0], LENGTHS, strict=True)):
        rank = sorted(range(len(LENGTHS)), key=lambda k: -LENGTHS[k]).index(d)
        x = torch.stack([document[:n], document[:n].flip(0)])[: encoder.directions]
        state = tuple(s[:, :1] for s in encoder.initial(1)[0])
        for t in range(n):
            projected = cell.project(x[:, t : t + 1])
            state = cell.step(projected, state, drop=first[2][:, rank : rank + 1].mul)
            torch.testing.assert_close(first[1][d, t, :50], state[0][0, 0])
            if encoder.directions == 2:
                torch.testing.assert_close(first[1][d, n - 1 - t, 50:], state[0][1, 0])


def test_nothing_is_dropped_in_evaluation(monkeypatch):
    encoder = make("LSTM", depth=2, dropout=0.5, locked=True, recurrent_dropout=0.5).eval()
    (first, second), _ = layer_inputs_and_outputs(monkeypatch, encoder)
    assert first[2] is None and torch.equal(first[1], second[0])


def test_the_recurrent_rate_does_not_follow_the_loop(monkeypatch):
    encoder = make("LSTM").train()
    set_dropout_rate(encoder, 0.5)
    ((_, _, mask),), _ = layer_inputs_and_outputs(monkeypatch, encoder)
    assert mask is None


def test_residual_layers_add_what_was_not_dropped(monkeypatch):
    encoder = make("LSTM", width=50, depth=2, dropout=0.4, residual=True).train()
    (first, second), states = layer_inputs_and_outputs(monkeypatch, encoder)
    assert not torch.equal(second[0], first[1])
    torch.testing.assert_close(states, first[1] + second[1])


@pytest.mark.parametrize("case", ["LSTM", "GRU", "GRU before", "BiLSTM", "DiagonalLSTM"])
def test_recurrent_weights_are_dropped_alike_at_all_steps(monkeypatch, case):
    encoder = make(case, width=50, weight_dropout=0.25)
    x = torch.randn(len(LENGTHS), 6, 3).double().requires_grad_()
    encoder.eval()(x, Sequences.of(LENGTHS))  # what evaluation leaves behind does no harm
    encoder.train()
    dropped = []
    real = Dropout.forward

    def recorded(self, weights):
        dropped.append(real(self, weights))
        return dropped[-1]

    monkeypatch.setattr(Dropout, "forward", recorded)
    states = encoder(x, Sequences.of(LENGTHS)).states
    monkeypatch.undo()
    # The same as an encoder that has those weights and drops nothing.
    (cell,) = encoder.layers
    parts = [part for part in cell.children() if isinstance(part, Recurrence)]
    assert len(dropped) == len(parts)
    plain = copy.deepcopy(encoder).eval()
    copies = [part for part in plain.layers[0].children() if isinstance(part, Recurrence)]
    for whole, copied, part in zip(parts, copies, dropped, strict=True):
        kept = part != 0
        torch.testing.assert_close(part[kept], whole.weight[kept] / 0.75)
        assert 0.6 < kept.double().mean() < 0.9
        copied.weight.data.copy_(part)
    torch.testing.assert_close(states, plain(x, Sequences.of(LENGTHS)).states)
    # What is dropped learns nothing, and the weights are themselves again.
    gradients = torch.autograd.grad(states.square().sum(), [part.weight for part in parts])
    for gradient, part in zip(gradients, dropped, strict=True):
        assert (gradient[part == 0] == 0).all() and (gradient != 0).any()
    assert all(part.matrix is part.weight for part in parts)
