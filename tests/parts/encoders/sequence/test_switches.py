"""Every setting of every recurrent encoder on every way through a batch, in either precision, with
one thread and with two."""

from contextlib import nullcontext

import pytest
import torch
from helpers.encoder_oracle import builder
from helpers.products import Products

from rnnpipe.layers.jit import without_kernels
from rnnpipe.parts.encoders.sequence import cell, layer, lstm_cells
from rnnpipe.structures import Sequences

LENGTHS = [3, 0, 5, 1]
#: Each setting of an encoder, and what it is set beside. All others are at their defaults.
SETTINGS = {
    "depth": ({"depth": 2}, {}),
    "dropout": ({"dropout": 0.5}, {"depth": 2}),
    "locked": ({"locked": True}, {"depth": 2, "dropout": 0.5}),
    "skip": ({"skip": True}, {"depth": 2}),
    "residual": ({"residual": True}, {"depth": 2}),
    "recurrent_dropout": ({"recurrent_dropout": 0.5}, {}),
    "weight_dropout": ({"weight_dropout": 0.5}, {}),
    "layer_norm": ({"layer_norm": True}, {}),
}
OWN = {
    "forget_bias": ({"forget_bias": -3.0}, {}),
    "nonlinearity": ({"nonlinearity": "relu"}, {}),
    "reset": ({"reset": "before"}, {}),
}
#: What is set of each cell alone.
CASES = {
    "LSTM": ["forget_bias"],
    "BiLSTM": ["forget_bias"],
    "RNN": ["nonlinearity"],
    "GRU": ["reset"],
    "BiGRU": ["reset"],
    "CIFG": ["forget_bias"],
    "UGRNN": ["forget_bias"],
    "PeepholeLSTM": ["forget_bias"],
    "DiagonalLSTM": ["forget_bias"],
}
#: The ways beside that step by step. For other cells there are none.
WAYS = {
    "LSTM": ["numba", "torch", "fused"],
    "BiLSTM": ["numba", "torch", "fused"],
    "RNN": ["fused"],
    "GRU": ["fused"],
    "BiGRU": ["fused"],
}
TABLE = [(case, setting) for case, own in CASES.items() for setting in [*SETTINGS, *own]]
FUSED = [(case, setting) for case, setting in TABLE if case in WAYS]
FAST = [(case, way) for case, ways in WAYS.items() for way in [*ways, "steps"]]
#: What the kernels of torch cannot do: a gate that is reset before the product, for instance.
UNFUSED = {"recurrent_dropout", "layer_norm", "reset"}
#: How far bfloat16, of 8 bits, may be from float32.
NEAR = {"float32": {"atol": 1e-5, "rtol": 1e-4}, "bfloat16": {"atol": 0.06, "rtol": 0.06}}


def enter(way, monkeypatch):
    monkeypatch.setattr(layer, "_fused_is_faster", lambda cell, rows: way == "fused")
    if way == "steps":
        monkeypatch.delattr(lstm_cells.LSTMCell, "run")
    return way


def made(case, setting, on=True):
    """An encoder with a setting, or with everything but that; weights are the same if they can."""
    value, base = (SETTINGS | OWN)[setting]
    torch.manual_seed(0)
    return builder(case, **base, **(value if on else {}))(3).train()


def computed(encoder, way, precision="float32", device="cpu", grad=True, of=None):
    """The states, and the gradients of the input and of every weight."""
    torch.manual_seed(1)
    x, structure = of or (torch.randn(len(LENGTHS), 5, 3), Sequences.of(LENGTHS, device))
    x = x.to(device).detach().requires_grad_(grad)
    torch.manual_seed(2)
    low = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")
    with nullcontext() if way == "numba" else without_kernels(), torch.set_grad_enabled(grad):
        with low:
            states = encoder(x, structure).states.float()
        if not grad:
            return [states]
        # Each state counts differently, so that none can stand for another.
        weights = torch.linspace(-1, 1, states.numel()).view(states.shape).to(device)
        return [states, *torch.autograd.grad((states * weights).sum(), [x, *encoder.parameters()])]


def taken(monkeypatch):
    """The names of the ways that are taken from now on."""
    names = []
    places = {
        "run_fused": layer,
        "run_lstm": lstm_cells,
        "run_compiled_lstm": lstm_cells,
        "run_steps": cell,
    }
    for name, module in places.items():
        real = getattr(module, name)

        def recorded(*args, name=name, real=real):
            names.append(name)
            return real(*args)

        monkeypatch.setattr(module, name, recorded)
    return names


def expected_way(case, setting, way, precision="float32"):
    if way == "steps" or setting in UNFUSED:
        return "run_steps"
    compiled = way == "numba" and precision == "float32"
    return "run_fused" if way == "fused" else "run_compiled_lstm" if compiled else "run_lstm"


def computed_by(way, encoder, *args, **options):
    with pytest.MonkeyPatch.context() as patch:
        enter(way, patch)
        return computed(encoder, way, *args, **options)


@pytest.mark.parametrize(("case", "setting"), TABLE)
def test_a_setting_has_its_effect_on_every_way(case, setting, monkeypatch):
    """And the same one as step by step: on the states and on all gradients."""
    encoder = made(case, setting)
    oracle = computed_by("steps", encoder)
    without = computed_by("steps", made(case, setting, on=False))
    assert (oracle[0] - without[0]).abs().max() > 1e-3
    names = taken(monkeypatch)
    for way in WAYS.get(case, []):
        for precision, near in NEAR.items():
            names.clear()
            result = computed_by(way, encoder, precision)
            assert set(names) == {expected_way(case, setting, way, precision)}
            for a, b in zip(result, oracle, strict=True):
                torch.testing.assert_close(a, b, **near)


@pytest.mark.parametrize("setting", ["dropout", "recurrent_dropout", "weight_dropout"])
@pytest.mark.parametrize(("case", "way"), FAST)
def test_nothing_is_dropped_in_evaluation(case, way, setting):
    dropping, plain = (made(case, setting, on).eval() for on in (True, False))
    for grad in (True, False):
        (a, *_), (b, *_) = (computed_by(way, encoder, grad=grad) for encoder in (dropping, plain))
        assert torch.equal(a, b)


@pytest.mark.parametrize(("case", "setting"), FUSED)
def test_a_training_step_runs_without_data(case, setting, monkeypatch):
    """As on a GPU, which takes the kernels of torch wherever they do what is asked."""
    names = taken(monkeypatch)
    results = computed(made(case, setting).to("meta"), "fused", device="meta")
    assert set(names) == {expected_way(case, setting, "fused")}
    assert all(result.is_meta for result in results)


@pytest.mark.parametrize("precision", NEAR)
@pytest.mark.parametrize(("case", "way"), [*FAST, ("CIFG", "steps"), ("UGRNN", "steps")])
def test_matrix_products_are_in_the_precision_asked_for(case, way, precision):
    """Forward and backward."""
    encoder = made(case, "depth")
    with Products() as products:
        computed_by(way, encoder, precision)
    # The input's of each layer, the state's at each step, and the gradients of either.
    assert len(products.found) >= len(encoder.layers) * (max(LENGTHS) + 2)
    assert all(dtypes == {getattr(torch, precision)} for dtypes in products.found)


@pytest.mark.parametrize(("case", "way"), [fast for fast in FAST if fast[0].startswith("Bi")])
def test_threads_change_nothing(case, way):
    """In layers so wide that torch shares them out."""
    torch.manual_seed(0)
    encoder = builder(case, width=96, weight_dropout=0.5)(96).train()
    structure, x = Sequences.of([4, 3] * 24), torch.randn(48, 4, 96)
    results, before = [], torch.get_num_threads()
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            results.append(computed_by(way, encoder, of=(x, structure)))
    finally:
        torch.set_num_threads(before)
    for one, two in zip(*results, strict=True):
        torch.testing.assert_close(two, one, atol=1e-4, rtol=1e-4)
