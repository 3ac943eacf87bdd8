"""The encoders against the equations of the papers, node by node."""

import pytest
import torch
from rnnpipe_sru.qrnn import QRNN, BiQRNN
from rnnpipe_sru.sru import SRU, BiSRU

from rnnpipe.api import Sequences, Steps, gate_values, run_steps

LENGTHS = [6, 0, 4, 1]


def sru(cell, direction, document):
    weight, bias = cell.input_weight[direction], cell.bias[direction, 0]
    v_f, v_r = cell.peephole[direction, 0].chunk(2)
    c, states = torch.zeros(cell.width).double(), []
    for x in document:
        x_f, x_r, candidate, highway = (x @ weight + bias).chunk(4)
        f, r = (x_f + v_f * c).sigmoid(), (x_r + v_r * c).sigmoid()
        c = f * c + (1 - f) * candidate
        states.append(r * c + (1 - r) * highway)
    return states


def qrnn(cell, direction, document):
    shares = cell.input_weight[direction].chunk(cell.window, dim=1)
    biases = cell.bias[direction, 0].chunk(cell.window)
    c, states = torch.zeros(cell.width).double(), []
    for t in range(len(document)):
        gates = sum(
            document[t - j] @ shares[j] + biases[j] for j in range(cell.window) if t - j >= 0
        )
        f, z, o = gates.chunk(3)
        c = f.sigmoid() * c + (1 - f.sigmoid()) * z.tanh()
        states.append(o.sigmoid() * c)
    return states


CASES = [
    (SRU, {}, sru),
    (BiSRU, {}, sru),
    (QRNN, {}, qrnn),
    (BiQRNN, {"window": 3}, qrnn),
    (QRNN, {"window": 1}, qrnn),
]


@pytest.mark.parametrize("function, settings, equations", CASES)
def test_states_are_those_of_the_equations(function, settings, equations):
    torch.manual_seed(0)
    encoder = function(width=5, **settings)(3).double()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    x = torch.randn(len(LENGTHS), max(LENGTHS), 3).double()
    states = encoder(x, Sequences.of(LENGTHS)).states
    (cell,) = encoder.layers
    for row, n, got in zip(x, LENGTHS, states, strict=True):
        halves = [equations(cell, 0, row[:n])]
        if encoder.directions == 2:
            halves.append(equations(cell, 1, row[:n].flip(0))[::-1])
        for i, parts in enumerate(zip(*halves, strict=True)):
            torch.testing.assert_close(got[i], torch.cat(parts))


def test_the_gates_that_are_watched_are_those_of_the_state():
    x = torch.randn(5, 3)
    (cell,) = SRU(width=4)(3).layers
    found = gate_values(cell, x)
    (_, before), (h, c) = [run_steps(cell, x[None, :n], cell.initial(1), one(n)) for n in (4, 5)]
    _, candidate, highway = cell.project(x[None, 4:]).split([8, 4, 4], dim=-1)
    f, r = found["forget"][:, 4:], found["reset"][:, 4:]
    torch.testing.assert_close(c[:, -1:], f * before[:, -1:] + (1 - f) * candidate)
    torch.testing.assert_close(h[:, -1:], r * c[:, -1:] + (1 - r) * highway)

    (cell,) = QRNN(width=4)(3).layers
    found = gate_values(cell, x)
    h, c, _ = run_steps(cell, x[None], cell.initial(1), one(5))
    torch.testing.assert_close(h[:, 1:], found["output"] * c[:, 1:])
    assert set(found) == {"forget", "output"}


def one(length):
    return Steps.of(Sequences.of([length]))


def test_gates_begin_as_the_settings_say():
    (cell,) = SRU(width=2, forget_bias=3.0, highway_bias=-1.0)(3).layers
    assert cell.bias[0, 0].tolist() == [3, 3, -1, -1, 0, 0, 0, 0]
    (cell,) = QRNN(width=2, window=2)(3).layers
    assert cell.bias[0, 0].tolist() == [1, 1] + [0] * 10
