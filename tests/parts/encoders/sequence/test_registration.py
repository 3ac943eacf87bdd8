"""The settings of recurrent encoders."""

import inspect
import pickle
from typing import get_type_hints

import pytest
import torch
from helpers.encoder_oracle import ALL, builder

from rnnpipe.contracts.registry import encoders
from rnnpipe.errors import SettingsError
from rnnpipe.parts.encoders.sequence.recurrent import GRU, LSTM, RNN, DiagonalRNN

SHARED = [
    "width",
    "depth",
    "dropout",
    "locked",
    "recurrent_dropout",
    "weight_dropout",
    "skip",
    "residual",
    "layer_norm",
]


@pytest.mark.parametrize(
    "function, own",
    [
        (RNN, ["nonlinearity", "recurrent_init"]),
        (DiagonalRNN, ["nonlinearity"]),
        (GRU, ["reset", "update_bias"]),
        (LSTM, ["forget_bias"]),
    ],
)
def test_settings_are_the_shared_ones_and_the_cells_own(function, own):
    assert list(inspect.signature(function).parameters) == SHARED + own
    assert set(SHARED + own) <= set(get_type_hints(function))
    for name in SHARED + own:
        assert f"{name}:" in function.__doc__


@pytest.mark.parametrize("case", ALL)
def test_names(case):
    name = case.split()[0]
    function = encoders.get(f"rnnpipe.{name}.v1")
    assert function.__name__ == function.__qualname__ == name
    bare = inspect.unwrap(function)
    assert pickle.loads(pickle.dumps(bare)) is bare


@pytest.mark.parametrize(
    "setting, value", [("dropout", 0.5), ("locked", True), ("skip", True), ("residual", True)]
)
def test_a_setting_without_effect_is_refused(setting, value):
    with pytest.raises(SettingsError) as error:
        builder("BiLSTM", **{setting: value})
    assert str(error.value) == (
        f"{setting}: expected no such setting at depth 1, where it has no effect, got {value!r}. "
        f"Remove {setting}, or set depth to 2 or more."
    )
    builder("BiLSTM", depth=2, **{setting: value})


@pytest.mark.parametrize(
    "name, settings, wrong, expected",
    [
        ("LSTM", {"width": 0}, "width", "an integer greater than 0"),
        ("LSTM", {"width": 4, "depth": 9}, "depth", "an integer of at least 1 and at most 8"),
        ("GRU", {"width": 4, "reset": "never"}, "reset", "one of 'before', 'after'"),
        ("RNN", {"width": 4, "nonlinearity": "sin"}, "nonlinearity", "one of 'tanh', 'relu'"),
        ("BiLSTM", {"width": 4, "forget_bias": "x"}, "forget_bias", "a number"),
    ],
)
def test_settings_are_checked_when_a_config_names_them(name, settings, wrong, expected):
    with pytest.raises(SettingsError) as error:
        encoders.get(f"rnnpipe.{name}.v1")(**settings)
    assert str(error.value).startswith(f"rnnpipe.{name}.v1.{wrong}: expected {expected}, got ")


def test_a_setting_of_another_cell_is_unknown():
    with pytest.raises(SettingsError, match="forget_bias: expected a setting of rnnpipe.GRU.v1"):
        encoders.get("rnnpipe.GRU.v1")(width=4, forget_bias=1.0)


def test_width_is_that_of_one_direction():
    assert builder("LSTM", width=5)(3).n_out == 5
    assert builder("BiLSTM", width=5)(3).n_out == 10


@pytest.mark.parametrize("case", ALL)
def test_parameter_names_and_shapes(case):
    encoder = builder(case, depth=2, skip=True, layer_norm=True)(3)
    names = [name.rpartition(".")[2] for name, _ in encoder.named_parameters()]
    assert set(names) <= {"input_weight", "weight", "bias", "gain", "peephole"}
    assert all(p.shape[0] == encoder.directions for p in encoder.parameters())
    assert [cell.input_weight.shape[1] for cell in encoder.layers] == [3, encoder.n_out + 3]


def test_the_same_seed_gives_the_same_weights():
    made = []
    for _ in range(2):
        torch.manual_seed(5)
        made.append(builder("BiLSTM", depth=2)(3).state_dict())
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])
