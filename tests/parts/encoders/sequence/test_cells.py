"""The equations against others: torch's cells, and textbook formulas in numpy."""

import inspect
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from rnnpipe.parts.encoders.sequence import cells, lstm_cells
from rnnpipe.parts.encoders.sequence.cell import Cell
from rnnpipe.parts.encoders.sequence.cells import DiagonalGRUCell, GRUCell, RNNCell, gru_cell
from rnnpipe.parts.encoders.sequence.lstm_cells import LSTMCell, PeepholeLSTMCell

N_IN, WIDTH, ROWS = 3, 4, 5


def all_cells():
    found = {**vars(cells), **vars(lstm_cells)}.values()
    return sorted(
        {c for c in found if inspect.isclass(c) and issubclass(c, Cell) and c is not Cell},
        key=lambda c: c.__name__,
    )


def randomized(cell):
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.normal_(0, 0.7)
    return cell.double()


def random_state(cell):
    return tuple(torch.randn(1, ROWS, WIDTH).double() for _ in range(cell.states))


def copy_into(theirs, ours):
    with torch.no_grad():
        theirs.weight_ih.copy_(ours.input_weight[0].T)
        theirs.weight_hh.copy_(ours.hidden.weight[0].T)
        theirs.bias_ih.copy_(ours.bias[0, 0])
        theirs.bias_hh.zero_()


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (RNNCell(N_IN, WIDTH), nn.RNNCell(N_IN, WIDTH)),
        (RNNCell(N_IN, WIDTH, nonlinearity="relu"), nn.RNNCell(N_IN, WIDTH, nonlinearity="relu")),
        (GRUCell(N_IN, WIDTH), nn.GRUCell(N_IN, WIDTH)),
        (LSTMCell(N_IN, WIDTH), nn.LSTMCell(N_IN, WIDTH)),
    ],
    ids=["tanh", "relu", "gru", "lstm"],
)
def test_equal_to_the_cells_of_torch(ours, theirs):
    randomized(ours)
    copy_into(theirs.double(), ours)
    x, state = torch.randn(1, ROWS, N_IN).double(), random_state(ours)
    expected = theirs(x[0], tuple(s[0] for s in state) if ours.states == 2 else state[0][0])
    expected = expected if isinstance(expected, tuple) else (expected,)
    for mine, yours in zip(ours.step(ours.project(x), state), expected, strict=True):
        torch.testing.assert_close(mine[0], yours)


def sigma(a):
    return 1 / (1 + np.exp(-a))


def textbook_gru(p, a, h):
    r, z = sigma(a[0] + h @ p["hidden"][0]), sigma(a[1] + h @ p["hidden"][1])
    return (z * h + (1 - z) * np.tanh(a[2] + (r * h) @ p["candidate"][0]),)


def mgu(p, a, h):
    f = sigma(a[0] + h @ p["hidden"][0])
    return ((1 - f) * h + f * np.tanh(a[1] + (f * h) @ p["candidate"][0]),)


def ugrnn(p, a, h):
    f, n = sigma(a[0] + h @ p["hidden"][0]), np.tanh(a[1] + h @ p["hidden"][1])
    return (f * h + (1 - f) * n,)


def original_lstm(p, a, h, c):
    i, g, o = (a[k] + h @ p["hidden"][k] for k in range(3))
    c = c + sigma(i) * np.tanh(g)
    return sigma(o) * np.tanh(c), c


def cifg(p, a, h, c):
    f, g, o = (a[k] + h @ p["hidden"][k] for k in range(3))
    c = sigma(f) * c + (1 - sigma(f)) * np.tanh(g)
    return sigma(o) * np.tanh(c), c


def peephole_lstm(p, a, h, c):
    i, f, g, o = (a[k] + h @ p["hidden"][k] for k in range(4))
    p_i, p_f, p_o = p["peephole"]
    new = sigma(f + p_f * c) * c + sigma(i + p_i * c) * np.tanh(g)
    return sigma(o + p_o * new) * np.tanh(new), new


def diagonal_rnn(p, a, h):
    return (np.tanh(a[0] + h * p["hidden"][0]),)


def diagonal_gru(p, a, h):
    r, z = sigma(a[0] + h * p["hidden"][0]), sigma(a[1] + h * p["hidden"][1])
    return (z * h + (1 - z) * np.tanh(a[2] + (r * h) * p["hidden"][2]),)


def diagonal_lstm(p, a, h, c):
    i, f, g, o = (a[k] + h * p["hidden"][k] for k in range(4))
    c = sigma(f) * c + sigma(i) * np.tanh(g)
    return sigma(o) * np.tanh(c), c


FORMULAS = {
    cells.TextbookGRUCell: textbook_gru,
    cells.MGUCell: mgu,
    cells.UGRNNCell: ugrnn,
    cells.DiagonalRNNCell: diagonal_rnn,
    cells.DiagonalGRUCell: diagonal_gru,
    lstm_cells.OriginalLSTMCell: original_lstm,
    lstm_cells.CIFGCell: cifg,
    lstm_cells.PeepholeLSTMCell: peephole_lstm,
    lstm_cells.DiagonalLSTMCell: diagonal_lstm,
}


def test_every_cell_is_compared_with_something():
    assert set(all_cells()) == set(FORMULAS) | {RNNCell, GRUCell, LSTMCell}


@pytest.mark.parametrize("kind", FORMULAS, ids=lambda kind: kind.__name__)
def test_equal_to_the_formula(kind):
    cell = randomized(kind(N_IN, WIDTH))
    x, state = torch.randn(1, ROWS, N_IN).double(), random_state(cell)

    def blocks(matrix):
        array = matrix.detach()[0].numpy()
        return [array[..., k : k + WIDTH] for k in range(0, array.shape[-1], WIDTH)]

    named = dict(cell.named_parameters())
    p = {name.removesuffix(".weight"): blocks(value) for name, value in named.items()}
    a = [x[0].numpy() @ w + b for w, b in zip(p["input_weight"], p["bias"], strict=True)]
    expected = FORMULAS[kind](p, a, *(s[0].numpy() for s in state))
    for mine, formula in zip(cell.step(cell.project(x), state), expected, strict=True):
        np.testing.assert_allclose(mine[0].detach().numpy(), formula, rtol=1e-9)


@pytest.mark.parametrize("kind", all_cells(), ids=lambda kind: kind.__name__)
def test_directions_do_not_touch_each_other(kind):
    cell = randomized(kind(N_IN, WIDTH, directions=2))
    x = torch.randn(2, ROWS, N_IN).double()
    state = tuple(torch.randn(2, ROWS, WIDTH).double() for _ in range(cell.states))
    before = cell.step(cell.project(x), state)
    x[1] += 1
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter[1] += 1
    after = cell.step(cell.project(x), tuple(torch.stack([s[0], s[1] + 1]) for s in state))
    for old, new in zip(before, after, strict=True):
        assert torch.equal(old[0], new[0])
        assert not torch.equal(old[1], new[1])


@pytest.mark.parametrize("kind", all_cells(), ids=lambda kind: kind.__name__)
def test_every_weight_has_an_influence(kind):
    for layer_norm in (False, True):
        cell = randomized(kind(N_IN, WIDTH, layer_norm=layer_norm))
        x, state = torch.randn(1, ROWS, N_IN).double(), random_state(cell)
        sum(s.square().sum() for s in cell.step(cell.project(x), state)).backward()
        for name, parameter in cell.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("kind", all_cells(), ids=lambda kind: kind.__name__)
def test_dropout_reaches_every_recurrent_product_and_nothing_else(kind):
    cell = randomized(kind(N_IN, WIDTH))
    x, state = torch.randn(1, ROWS, N_IN).double(), random_state(cell)
    dropped = cell.step(cell.project(x), state, drop=torch.zeros_like)
    with torch.no_grad():
        for name, parameter in cell.named_parameters():
            if name in ("hidden.weight", "candidate.weight"):
                parameter.zero_()
    without_products = cell.step(cell.project(x), state)
    for a, b in zip(dropped, without_products, strict=True):
        torch.testing.assert_close(a, b)


def test_reset_is_the_choice_between_two_cells():
    assert type(gru_cell(N_IN, WIDTH, reset="after")) is GRUCell
    assert type(gru_cell(N_IN, WIDTH, reset="before")) is cells.TextbookGRUCell


def test_layer_norm_makes_the_scale_of_the_input_irrelevant():
    cell = randomized(LSTMCell(N_IN, WIDTH, layer_norm=True))
    x, state = torch.randn(1, ROWS, N_IN).double(), random_state(cell)
    small, large = (cell.step(cell.project(scale * x), state)[0] for scale in (10.0, 1000.0))
    torch.testing.assert_close(small, large, atol=1e-3, rtol=0)


def test_layer_norm_of_ba_et_al():
    cell = randomized(LSTMCell(N_IN, WIDTH, layer_norm=True))
    x, (h, c) = torch.randn(1, ROWS, N_IN).double(), random_state(cell)

    def ln(a, gain):
        mean, variance = a.mean(-1, keepdim=True), a.var(-1, keepdim=True, unbiased=False)
        return gain * (a - mean) / (variance + 1e-5).sqrt()

    a = ln(x @ cell.input_weight, cell.input_norm.gain) + cell.bias
    i, f, g, o = (a + ln(h @ cell.hidden.weight, cell.hidden.norm.gain)).chunk(4, -1)
    c_new = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h_new = o.sigmoid() * ln(c_new, cell.out_norm.gain).tanh()
    for mine, formula in zip(cell.step(cell.project(x), (h, c)), (h_new, c_new), strict=True):
        torch.testing.assert_close(mine, formula)


@pytest.mark.parametrize(
    "kind, gate",
    [
        (LSTMCell, 1),
        (PeepholeLSTMCell, 1),
        (lstm_cells.DiagonalLSTMCell, 1),
        (lstm_cells.CIFGCell, 0),
        (cells.UGRNNCell, 0),
    ],
)
def test_the_forget_bias_is_all_the_bias_there_is(kind, gate):
    cell = kind(N_IN, WIDTH, forget_bias=1.0)
    blocks = cell.bias.view(-1, WIDTH)
    assert blocks[gate].tolist() == [1.0] * WIDTH
    assert blocks.sum() == WIDTH
    assert [name for name, _ in cell.named_parameters() if "bias" in name] == ["bias"]


@pytest.mark.parametrize(
    "make",
    [GRUCell, partial(gru_cell, reset="before"), DiagonalGRUCell, cells.MGUCell],
)
def test_a_large_update_bias_keeps_the_state(make):
    """Whichever of z and 1 - z keeps: h_t is h_{t-1} at first. And 0 is what there was before."""
    state = torch.rand(1, 2, WIDTH)
    x = torch.randn(1, 2, N_IN)
    cell = make(N_IN, WIDTH, update_bias=30.0)
    torch.testing.assert_close(cell.step(cell.project(x), (state,))[0], state)
    assert not make(N_IN, WIDTH).bias.any()


def test_an_rnn_may_begin_as_torchs_do():
    weight = RNNCell(N_IN, 100, recurrent_init="uniform").hidden.weight
    assert 0.09 < weight.abs().max() <= 0.1


def test_square_matrices_begin_orthogonal_and_diagonals_bounded():
    for block in GRUCell(N_IN, WIDTH).hidden.weight[0].split(WIDTH, dim=1):
        torch.testing.assert_close(block @ block.T, torch.eye(WIDTH), atol=1e-5, rtol=0)
    assert DiagonalGRUCell(N_IN, 100).hidden.weight.abs().max() <= 1
