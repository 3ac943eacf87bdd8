"""Gates: that those which are told are those that the equations use, and how they are counted."""

import numpy as np
import pytest
import torch
from helpers.small_pipelines import entity_recognizer, language_model

from rnnpipe.errors import SettingsError
from rnnpipe.instruments.encoders import encoder_on_text
from rnnpipe.instruments.gates import GateUse, gate_uses, gate_values
from rnnpipe.instruments.gradients import fresh_encoder
from rnnpipe.parts.encoders.sequence.cells import (
    GRUCell,
    MGUCell,
    RNNCell,
    TextbookGRUCell,
    UGRNNCell,
)
from rnnpipe.parts.encoders.sequence.lstm_cells import (
    CIFGCell,
    LSTMCell,
    OriginalLSTMCell,
    PeepholeLSTMCell,
)
from rnnpipe.structures import Sequences

N_IN, WIDTH, NODES = 3, 4, 7
#: The blocks of ``W x + b + U h`` that are gates, by their place.
GATES = {
    LSTMCell: {"input": 0, "forget": 1, "output": 3},
    CIFGCell: {"forget": 0, "output": 2},
    OriginalLSTMCell: {"input": 0, "output": 2},
    GRUCell: {"reset": 0, "update": 1},
    TextbookGRUCell: {"reset": 0, "update": 1},
    MGUCell: {"forget": 0},
    UGRNNCell: {"forget": 0},
}


def nodes():
    return torch.randn(NODES, N_IN, generator=torch.Generator().manual_seed(0)).double()


def randomized(kind):
    torch.manual_seed(0)
    cell = kind(N_IN, WIDTH).double().requires_grad_(False)
    for parameter in cell.parameters():
        parameter.normal_()
    return cell


@pytest.mark.parametrize("kind", GATES, ids=lambda kind: kind.__name__)
def test_gates_are_the_sigmoids_of_their_blocks(kind):
    cell, x = randomized(kind), nodes()
    found = gate_values(cell, x)
    assert set(found) == set(GATES[kind])
    state = cell.initial(1)
    for t in range(NODES):
        projected = cell.project(x[None, t : t + 1])
        for name, block in GATES[kind].items():
            place = slice(block * WIDTH, (block + 1) * WIDTH)
            a = projected[..., place] + cell.hidden(state[0])[..., place]
            torch.testing.assert_close(found[name][:, t : t + 1], 1 / (1 + (-a).exp()))
        state = cell.step(projected, state)


def test_the_output_gate_with_peepholes_sees_the_new_cell_state():
    cell, x = randomized(PeepholeLSTMCell), nodes()
    found = gate_values(cell, x)
    state, (p_i, p_f, p_o) = cell.initial(1), cell.peephole.chunk(3, -1)
    for t in range(NODES):
        projected = cell.project(x[None, t : t + 1])
        i, f, _, o = (projected + cell.hidden(state[0])).chunk(4, -1)
        before = state[1]
        state = cell.step(projected, state)
        expected = {"input": i + p_i * before, "forget": f + p_f * before}
        expected["output"] = o + p_o * state[1]
        for name, a in expected.items():
            torch.testing.assert_close(found[name][:, t : t + 1], a.sigmoid())


def test_nobody_is_told_once_the_watch_is_over():
    cell, seen = randomized(LSTMCell), []
    with (
        pytest.raises(ZeroDivisionError),
        cell.watched(lambda name, value: seen.append((name, value.shape))),
    ):
        cell.step(cell.project(nodes()[None]), cell.initial(NODES))
        1 / 0  # noqa: B018
    cell.step(cell.project(nodes()[None]), cell.initial(NODES))
    assert sorted(seen) == [(name, (1, NODES, WIDTH)) for name in ("forget", "input", "output")]


def test_shares_by_hand():
    values = np.array([[0.05, 0.96], [0.0999, 0.9001], [0.1, 0.9], [0.5, 1.0]])
    use = GateUse.of("layer 0", "forget", values)
    np.testing.assert_array_equal(use.left, [0.5, 0.0])
    np.testing.assert_array_equal(use.right, [0.0, 0.75])
    assert use.histogram.sum() == 1.0
    assert use.histogram[-1] == 2 / 8
    assert use.mean == pytest.approx(values.mean())


def test_a_gate_that_is_always_open():
    encoder = fresh_encoder("rnnpipe.LSTM.v1", N_IN, WIDTH, 0)
    encoder.layers[0].bias[..., WIDTH : 2 * WIDTH] = 100.0
    uses = {use.gate: use for use in gate_uses(encoder, nodes(), "encoder")}
    np.testing.assert_array_equal(uses["forget"].right, np.ones(WIDTH))
    np.testing.assert_array_equal(uses["forget"].left, np.zeros(WIDTH))
    assert uses["input"].right.max() < 1.0


def test_upper_layers_read_the_states_of_lower_ones_in_both_directions():
    nlp = entity_recognizer(encoder="BiGRU", depth=2, skip=True)
    encoder, inputs = encoder_on_text(nlp, nlp.get_pipe("ner"), "so said Ada of the sky")
    uses = gate_uses(encoder, inputs, "encoder")
    layers = [f"layer {n}, {way}" for n in (0, 1) for way in ("forward", "backward")]
    assert sorted({use.layer for use in uses}) == sorted(layers)
    # The state after the last node, made of the gates, is that of the encoder.
    states = encoder(inputs[None], Sequences.of([len(inputs)])).states[0]
    below, _ = encoder.run(inputs[None], Sequences.of([len(inputs)]), encoder.initial(1), lowest=0)
    x = torch.cat([below[0][0], inputs], 1)
    cell, seen = encoder.layers[1], gate_values(encoder.layers[1], x)
    projected = cell.project(torch.stack([x, x.flip(0)]))
    h = torch.zeros(2, 1, 8).double()
    for t in range(len(x)):
        r, z = seen["reset"][:, t : t + 1], seen["update"][:, t : t + 1]
        n = projected[:, t : t + 1, 16:] + r * cell.hidden(h)[..., 16:]
        h = z * h + (1 - z) * n.tanh()
    torch.testing.assert_close(
        torch.cat([h[0, 0], h[1, 0]]), torch.cat([states[-1, :8], states[0, 8:]])
    )


def test_layers_without_gates():
    encoder = fresh_encoder("rnnpipe.RNN.v1", N_IN, WIDTH, 0)
    assert gate_values(randomized(RNNCell), nodes()) == {}
    with pytest.raises(SettingsError) as error:
        gate_uses(encoder, nodes(), "components.lm.model.encoder")
    assert str(error.value) == (
        "components.lm.model.encoder: expected layers with gated cells, got 'RNNCell'. "
        "Use a pipeline with rnnpipe.LSTM.v1, rnnpipe.GRU.v1 or one of their variants."
    )
    with pytest.raises(SettingsError, match="got 'Linear'"):
        gate_uses(torch.nn.Linear(1, 1), nodes(), "encoder")


def test_a_language_model_is_left_as_it_is():
    nlp = language_model()
    pipe = nlp.get_pipe("lm")
    before = pipe.to_bytes()
    encoder, inputs = encoder_on_text(nlp, pipe, "a rose")
    uses = gate_uses(encoder, inputs, "encoder")
    assert {use.layer for use in uses} == {"layer 0", "layer 1"}
    assert all(use.as_json()["mean"] == pytest.approx(use.mean) for use in uses)
    assert pipe.to_bytes() == before
