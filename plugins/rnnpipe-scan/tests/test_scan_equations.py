"""The encoders against the equations of the paper, node by node."""

from contextlib import nullcontext

import pytest
import torch
from rnnpipe_scan.encoders import BiMinGRU, BiMinLSTM, MinGRU, MinLSTM

from rnnpipe.api import Sequences, SettingsError, encoders, gate_values
from rnnpipe.testing import without_kernels

LENGTHS = [7, 0, 4, 1]


def min_gru(gates, h):
    z, candidate = 1 - gates[0].sigmoid(), gates[1]
    return (1 - z) * h + z * candidate


def min_lstm(gates, h):
    f, i, candidate = gates[0].sigmoid(), gates[1].sigmoid(), gates[2]
    return f / (f + i) * h + i / (f + i) * candidate


EQUATIONS = {MinGRU: min_gru, BiMinGRU: min_gru, MinLSTM: min_lstm, BiMinLSTM: min_lstm}


def states_of(cell, direction, document, equation):
    """One direction over one document, ``(T, width)``."""
    h, states = torch.zeros(cell.width).double(), []
    for x in document:
        gates = x @ cell.input_weight[direction] + cell.bias[direction, 0]
        h = equation(gates.chunk(cell.gates), h)
        states.append(h)
    return torch.stack(states) if states else document.new_zeros(0, cell.width)


@pytest.mark.parametrize("parallel", [False, True], ids=["compiled", "parallel"])
@pytest.mark.parametrize("function", EQUATIONS, ids=lambda f: f.__name__)
def test_states_are_those_of_the_equations(function, parallel):
    torch.manual_seed(0)
    encoder = function(width=5)(3).double()
    x = torch.randn(len(LENGTHS), max(LENGTHS), 3).double()
    with without_kernels() if parallel else nullcontext():
        states = encoder(x, Sequences.of(LENGTHS)).states
    (cell,) = encoder.layers
    for row, n, got in zip(x, LENGTHS, states, strict=True):
        halves = [states_of(cell, 0, row[:n], EQUATIONS[function])]
        if encoder.directions == 2:
            back = states_of(cell, 1, row[:n].flip(0), EQUATIONS[function])
            halves.append(back.flip(0))
        torch.testing.assert_close(got[:n], torch.cat(halves, dim=-1))


def test_gates_begin_as_the_settings_say():
    encoder = MinLSTM(width=4, forget_bias=2.0)(3)
    assert encoder.layers[0].bias[0, 0].tolist() == [2.0] * 4 + [0.0] * 8
    assert MinGRU(width=2, forget_bias=-1.0)(3).layers[0].bias[0, 0].tolist() == [-1, -1, 0, 0]


@pytest.mark.parametrize("function", [MinGRU, MinLSTM])
def test_the_gate_that_is_watched_is_that_of_the_state(function):
    cell, x = function(width=4)(3).layers[0], torch.randn(6, 3)
    (forget,) = gate_values(cell, x).values()
    *_, candidate = cell.project(x[None]).chunk(cell.gates, dim=-1)
    h, state = torch.zeros(1, 1, 4), cell.initial(1)
    for t in range(6):
        f = forget[:, t : t + 1]
        h = f * h + (1 - f) * candidate[:, t : t + 1]
        state = cell.step(cell.project(x[None, t : t + 1]), state)
        torch.testing.assert_close(state[0], h)


def test_settings_are_those_that_have_an_effect():
    make = encoders.get("scan.MinGRU.v1")
    make(width=3, depth=2, dropout=0.1, locked=True, skip=True, residual=True, layer_norm=True)
    with pytest.raises(SettingsError, match="recurrent_dropout: expected a setting of scan.MinGR"):
        make(width=3, recurrent_dropout=0.1)


def test_a_document_of_many_thousand_nodes_has_finite_gradients():
    encoder, x = MinLSTM(width=3)(2), torch.randn(1, 20_000, 2, requires_grad=True)
    encoder(x, Sequences.of([20_000])).states[:, -1].sum().backward()
    assert x.grad.isfinite().all()
    assert x.grad[:, -1].abs().sum() > 0
