"""The kernels of torch against the plain loop, and their modules against our encoders."""

import pytest
import torch
from helpers.encoder_oracle import builder, documents_of, padded
from torch import nn

from rnnpipe.parts.encoders.sequence import cell as cell_module
from rnnpipe.parts.encoders.sequence import layer, lstm_cells
from rnnpipe.parts.encoders.sequence.cells import GRUCell, RNNCell, TextbookGRUCell
from rnnpipe.parts.encoders.sequence.fused import run_fused
from rnnpipe.parts.encoders.sequence.lstm_cells import LSTMCell
from rnnpipe.parts.encoders.sequence.steps import Steps
from rnnpipe.structures import Sequences

CELLS = {
    "tanh": lambda directions: RNNCell(3, 4, directions),
    "relu": lambda directions: RNNCell(3, 4, directions, nonlinearity="relu"),
    "gru": lambda directions: GRUCell(3, 4, directions),
    "lstm": lambda directions: LSTMCell(3, 4, directions),
}


def problem(make, directions, dtype=torch.float64):
    lengths = [2, 0, 4, 1]
    cell = make(directions).to(dtype)
    steps = Steps.of(Sequences.of(lengths))
    rows = torch.randn(7, 3, dtype=dtype, requires_grad=True)
    shape = (directions, len(lengths), 4)
    initial = tuple(torch.randn(shape, dtype=dtype) for _ in range(cell.states))
    return cell, rows, initial, steps


def plain_layer(cell, rows, initial, steps):
    """What run_layer does for a cell that has no fast way."""
    cell.kernel = None
    try:
        return layer.run_layer(cell, rows, initial, steps)
    finally:
        del cell.kernel


@pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("directions", [1, 2])
def test_states_and_gradients_equal_those_of_the_equation(make, directions):
    cell, rows, initial, steps = problem(make, directions)
    results = []
    for run in (run_fused, plain_layer):
        states, final = run(cell, rows, initial, steps)
        total = states.square().sum() + sum(f.sin().sum() for f in final)
        gradients = torch.autograd.grad(total, [rows, *cell.parameters()])
        results.append([states, *final, *gradients])
    for fused, plain in zip(*results, strict=True):
        torch.testing.assert_close(fused, plain)


@pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)
def test_half_precision_products_are_near(make):
    cell, rows, initial, steps = problem(make, 2, torch.float32)
    states, final = plain_layer(cell, rows, initial, steps)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        fused_states, fused_final = run_fused(cell, rows, initial, steps)
    for a, b in zip([fused_states, *fused_final], [states, *final], strict=True):
        assert a.dtype == torch.float32
        torch.testing.assert_close(a, b, atol=0.1, rtol=0.1)


def ways(monkeypatch, cell, rows, initial, steps, **options):
    """Which of the ways run_layer takes."""
    taken = []
    places = {"run_fused": layer, "run_lstm": lstm_cells, "run_steps": cell_module}
    for name, module in places.items():
        real = getattr(module, name)

        def recorded(*args, name=name, real=real):
            taken.append(name)
            return real(*args)

        monkeypatch.setattr(module, name, recorded)
    layer.run_layer(cell, rows, initial, steps, **options)
    monkeypatch.undo()
    return taken


def test_which_way_is_taken(monkeypatch):
    def way(make, device="cpu", grad=True, lengths=None, mask=False):
        cell, rows, initial, steps = problem(make, 1)
        cell, rows = cell.to(device), rows.to(device)
        initial = tuple(s.to(device) for s in initial)
        options = {"mask": torch.ones_like(initial[0])} if mask else {}
        if device != "cpu":
            steps = Steps.of(Sequences.of([2, 0, 4, 1], device=device))
        with torch.set_grad_enabled(grad):
            return ways(monkeypatch, cell, rows, initial, steps, **options)

    assert way(CELLS["lstm"]) == ["run_lstm"]
    assert way(CELLS["lstm"], grad=False) == ["run_lstm"]
    assert way(CELLS["lstm"], device="meta") == ["run_fused"]
    assert way(CELLS["lstm"], mask=True) == ["run_steps"]
    assert way(lambda d: LSTMCell(3, 4, d, layer_norm=True)) == ["run_steps"]
    assert way(CELLS["gru"]) == ["run_steps"]
    assert way(CELLS["gru"], grad=False) == ["run_fused"]
    assert way(CELLS["gru"], device="meta") == ["run_fused"]
    assert way(lambda d: TextbookGRUCell(3, 4, d), device="meta") == ["run_steps"]


def copy_into(theirs, ours):
    with torch.no_grad():
        for number, cell in enumerate(ours.layers):
            for direction, suffix in enumerate(["", "_reverse"][: cell.directions]):
                end = f"l{number}{suffix}"
                getattr(theirs, f"weight_ih_{end}").copy_(cell.input_weight[direction].T)
                getattr(theirs, f"weight_hh_{end}").copy_(cell.hidden.weight[direction].T)
                getattr(theirs, f"bias_ih_{end}").copy_(cell.bias[direction, 0])
                getattr(theirs, f"bias_hh_{end}").zero_()


@pytest.mark.parametrize(
    "case, module, options",
    [
        ("RNN", nn.RNN, {}),
        ("RNN relu", nn.RNN, {"nonlinearity": "relu"}),
        ("GRU", nn.GRU, {}),
        ("LSTM", nn.LSTM, {}),
        ("BiRNN", nn.RNN, {"bidirectional": True}),
        ("BiGRU", nn.GRU, {"bidirectional": True}),
        ("BiLSTM", nn.LSTM, {"bidirectional": True}),
    ],
)
def test_equal_to_the_modules_of_torch_over_packed_sequences(case, module, options):
    ours = builder(case, depth=2)(3).double().eval()
    theirs = module(3, 4, num_layers=2, batch_first=True, **options).double()
    copy_into(theirs, ours)
    documents = documents_of([3, 5, 1])
    x, structure = padded(documents), Sequences.of([3, 5, 1])
    packed = nn.utils.rnn.pack_padded_sequence(
        x, structure.lengths, batch_first=True, enforce_sorted=False
    )
    expected = nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)[0]
    torch.testing.assert_close(ours(x, structure).states, expected)
