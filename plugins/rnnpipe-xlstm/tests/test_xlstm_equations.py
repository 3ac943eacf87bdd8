"""The encoders against the equations of the paper, which have no stabiliser, node by node."""

import pytest
import torch
from rnnpipe_xlstm import matrix_memory
from rnnpipe_xlstm.mlstm import MLSTM, BiMLSTM
from rnnpipe_xlstm.slstm import SLSTM, BiSLSTM

from rnnpipe.api import Sequences, SettingsError, gate_values

LENGTHS = [9, 0, 4, 1]


def slstm(cell, direction, document, heads):
    size = cell.width // heads
    matrices = cell.hidden.weight.unflatten(0, (-1, heads))[direction]
    h, c, n = (torch.zeros(cell.width).double() for _ in range(3))
    states = []
    for x in document:
        by_head = [h[k * size : (k + 1) * size] @ matrices[k] for k in range(heads)]
        recurrent = torch.stack([u.view(4, size) for u in by_head], dim=1).flatten()
        gates = x @ cell.input_weight[direction] + cell.bias[direction, 0] + recurrent
        i, f, z, o = gates.chunk(4)
        c = f.sigmoid() * c + i.exp() * z.tanh()
        n = f.sigmoid() * n + i.exp()
        h = o.sigmoid() * c / n
        states.append(h)
    return states


def mlstm(cell, direction, document, heads):
    size = cell.width // heads
    matrix = torch.zeros(heads, size, size).double()
    normaliser = torch.zeros(heads, size).double()
    states = []
    for x in document:
        blocks = x @ cell.input_weight[direction] + cell.bias[direction, 0]
        q, k, v, o = blocks.view(4, heads, size)
        gates = x @ cell.gate_weight[direction] + cell.gate_bias[direction, 0]
        i, f = gates[:heads].exp(), gates[heads:].sigmoid()
        h = []
        for head in range(heads):
            key = k[head] / size**0.5
            matrix[head] = f[head] * matrix[head] + i[head] * torch.outer(v[head], key)
            normaliser[head] = f[head] * normaliser[head] + i[head] * key
            weight = max(abs(float(normaliser[head] @ q[head])), 1.0)
            h.append(matrix[head] @ q[head] / weight)
        states.append(o.flatten().sigmoid() * torch.cat(h))
    return states


CASES = [(SLSTM, slstm), (BiSLSTM, slstm), (MLSTM, mlstm), (BiMLSTM, mlstm)]


@pytest.fixture(params=[64, 3], ids=["one chunk", "chunks"], autouse=True)
def chunk(request, monkeypatch):
    monkeypatch.setattr(matrix_memory, "CHUNK", request.param)


@torch.no_grad()
@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("function, equations", CASES)
def test_states_are_those_of_the_equations(function, equations, heads):
    torch.manual_seed(0)
    encoder = function(width=6, heads=heads)(3).double()
    for parameter in encoder.parameters():
        parameter.add_(0.5 * torch.randn_like(parameter))
    x = torch.randn(len(LENGTHS), max(LENGTHS), 3).double()
    states = encoder(x, Sequences.of(LENGTHS)).states
    (cell,) = encoder.layers
    for row, n, got in zip(x, LENGTHS, states, strict=True):
        halves = [equations(cell, 0, row[:n], heads)]
        if encoder.directions == 2:
            halves.append(equations(cell, 1, row[:n].flip(0), heads)[::-1])
        for i, parts in enumerate(zip(*halves, strict=True)):
            torch.testing.assert_close(got[i], torch.cat(parts))


@pytest.mark.parametrize("function", [SLSTM, MLSTM])
@pytest.mark.parametrize("gate", [-300.0, 300.0])
def test_no_gate_is_too_great_or_too_small(function, gate):
    """The exponential of either is no float32. (A sum that a memory is divided by may be small.)"""
    encoder = function(width=4)(2)
    (cell,) = encoder.layers
    with torch.no_grad():
        bias = cell.gate_bias[..., :1] if function is MLSTM else cell.bias[..., :4]
        bias.fill_(gate)
    x = torch.randn(1, 40, 2, requires_grad=True)
    encoded = encoder(x, Sequences.of([40]))
    encoded.states.sum().backward()
    assert encoded.states.isfinite().all() and x.grad.isfinite().all()
    state, steps = encoder.start(1), []
    for t in range(40):
        y, state = encoder.step(x[:, t], state)
        steps.append(y)
    torch.testing.assert_close(torch.stack(steps, dim=1), encoded.states, atol=1e-4, rtol=5e-3)


def test_the_gates_that_are_watched_are_those_of_the_equations():
    x = torch.randn(1, 3)  # before the first node the state is zero
    (cell,) = SLSTM(width=4)(3).layers
    _, forget, _, output = cell.project(x[None]).sigmoid().chunk(4, dim=-1)
    assert_gates(gate_values(cell, x), forget, output)

    (cell,) = MLSTM(width=4, heads=2)(3).layers
    cell.gate_weight.data.normal_()
    output, _, forget = cell.project(x[None]).sigmoid()[..., 12:].split([4, 2, 2], dim=-1)
    assert_gates(gate_values(cell, x), forget, output)


def assert_gates(found, forget, output):
    assert set(found) == {"forget", "output"}
    torch.testing.assert_close(found["forget"], forget)
    torch.testing.assert_close(found["output"], output)


@pytest.mark.parametrize("function", [SLSTM, MLSTM])
def test_heads_divide_the_width(function):
    with pytest.raises(SettingsError) as caught:
        function(width=5, heads=2)(3)
    assert str(caught.value) == (
        "heads: expected a number that divides the width (5), got 2. Set heads to 1, or change "
        "width."
    )
