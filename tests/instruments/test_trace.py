"""What each piece of a text costs, and what a unit does meanwhile."""

import math

import numpy as np
import pytest
import torch
from helpers.small_pipelines import SYMBOLS, language_model

from rnnpipe.components.network_model import network_shim
from rnnpipe.errors import SettingsError
from rnnpipe.instruments.reading import Reader
from rnnpipe.instruments.trace import Cell, activations, trace
from rnnpipe.structures import Sequences

TEXT = "the rose is é,\n a sky so blue"


def reader(kind="characters", **settings):
    nlp = language_model(kind, **settings)
    return Reader(nlp, nlp.get_pipe("lm"))


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("kind", SYMBOLS)
def test_pieces_are_the_text_and_their_nats_its_loss(kind, backward):
    one = reader(kind, end_symbol=True, backward=backward)
    traced = trace(one, TEXT)
    assert "".join(traced.pieces) == TEXT
    assert len(traced.pieces) == (len(TEXT) if kind != "words" else len(one.doc(TEXT)))
    likelihood = one.pipe.predict([one.doc(TEXT)])[0]
    np.testing.assert_allclose(traced.nats, -likelihood.tokens, atol=1e-4)
    assert traced.nats.sum() == pytest.approx(-likelihood.total + likelihood.end, abs=1e-3)
    assert traced.guess == pytest.approx(math.log(len(one.pipe.symbols)))
    assert traced.activations == {}


def test_a_palindrome_read_from_its_end():
    traced = trace(reader(backward=True), "sees")
    likelihood = reader(backward=True).pipe.predict([reader(backward=True).doc("sees")])[0]
    np.testing.assert_allclose(traced.nats, -likelihood.tokens, atol=1e-4)
    assert len(set(traced.nats.round(3).tolist())) == 4


@pytest.mark.parametrize(
    ("kind", "encoder", "backward"),
    [
        ("characters", "LSTM", False),
        ("bytes", "LSTM", False),
        ("words", "GRU", False),
        ("characters", "GRU", True),
    ],
)
def test_activations_are_the_states_after_each_piece(kind, encoder, backward):
    one = reader(kind, encoder=encoder, backward=backward)
    traced = trace(one, TEXT, Cell(1, 5))
    assert set(traced.activations) == ({"h", "c"} if encoder == "LSTM" else {"h"})
    doc, symbols = one.doc(TEXT), one.pipe.symbols
    with network_shim(one.pipe.model).evaluation() as model:
        inputs = torch.tensor([[0, *symbols.read(doc).tolist()]])
        vectors = torch.nn.functional.embedding(inputs, model.embedding.weight)
        states = model.encoder(vectors, Sequences.of([inputs.shape[1]])).states[0, :, 5].numpy()
    owners = symbols.owners(doc).tolist()
    last = [len(owners) - 1 - owners[::-1].index(i) for i in range(len(doc))]
    np.testing.assert_allclose(traced.activations["h"], states[1:][last], atol=1e-5)
    if encoder == "LSTM":  # |h| = |o tanh(c)| < |tanh(c)|
        assert (np.abs(np.tanh(traced.activations["c"])) >= np.abs(traced.activations["h"])).all()


class Counter:
    """Stands for an encoder whose state is laid out in its own way: it adds up its steps."""

    def __init__(self, layout):
        self.layout = layout

    def start(self, batch_size):
        return self.layout(torch.zeros(batch_size, 3))

    def step(self, x, state):
        while isinstance(state, tuple):
            state = state[0]
        return x, self.layout(state + 1)


@pytest.mark.parametrize(
    ("layout", "layer", "names"),
    [
        (lambda s: s, 0, ["h"]),
        (lambda s: (s, 2 * s), 0, ["h", "c"]),
        (lambda s: (s, 2 * s, 3 * s), 0, ["h", "c", "state 2"]),
        (lambda s: ((s,), (2 * s, 3 * s)), 1, ["h", "c"]),
        (lambda s: (((s, s), s), (s, s)), 0, ["h", "c", "state 2"]),
    ],
)
def test_any_layout_of_states(monkeypatch, layout, layer, names):
    one = reader()
    module = network_shim(one.pipe.model).module
    monkeypatch.setitem(module._modules, "encoder", Counter(layout))
    found = activations(one, np.array([2, 3]), Cell(layer, 2))
    assert list(found) == names
    steps = np.array([2.0, 3.0])  # the boundary is a step, too
    assert found["h"].tolist() in (steps.tolist(), (2 * steps).tolist())


def test_cells_are_written_as_layer_and_unit():
    assert Cell.parse("0:17") == Cell(0, 17)
    assert str(Cell(1, 2)) == "1:2"
    for text in ("17", "0:", ":1", "a:b", "-1:0", "0:1:2"):
        with pytest.raises(SettingsError) as error:
            Cell.parse(text)
        assert str(error.value) == (
            f"cell: expected LAYER:UNIT, such as 0:17, got {text!r}. "
            "Layers and units are counted from 0."
        )


@pytest.mark.parametrize(
    ("cell", "want"),
    [("2:0", "a layer from 0 to 1"), ("1:16", "a unit from 0 to 15 of layer 1")],
)
def test_a_cell_that_is_not_there(cell, want):
    with pytest.raises(SettingsError) as error:
        trace(reader(), TEXT, Cell.parse(cell))
    assert str(error.value) == (
        f"cell: expected {want}, got '{cell}'. Choose a unit of the encoder."
    )
