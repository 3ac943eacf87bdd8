"""One step for a whole module: thinc's numbers, a global clip, and errors instead of NaN."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from thinc.api import SGD, Adam, Linear, Optimizer, PyTorchShim, RAdam, compounding, warmup_linear
from torch import nn

from rnnpipe.errors import TrainingError
from rnnpipe.shim.optimizer_step import StepReport, parameter_key, step

KEY = parameter_key


def parameters(*shapes, seed=0):
    torch.manual_seed(seed)
    return {KEY("net", f"p{i}"): nn.Parameter(torch.randn(s) * 0.1) for i, s in enumerate(shapes)}


def set_gradients(parameters, *gradients):
    for parameter, gradient in zip(parameters.values(), gradients, strict=True):
        parameter.grad = None if gradient is None else torch.as_tensor(gradient).clone()


class ByThinc:
    """The oracle: thinc's optimizer on copies of the same parameters, one at a time, in numpy."""

    def __init__(self, parameters, optimizer):
        self.optimizer = optimizer
        self.weights = {key[-1]: p.detach().clone().numpy() for key, p in parameters.items()}

    def step(self, gradients):
        for (name, weight), gradient in zip(self.weights.items(), gradients, strict=True):
            if gradient is not None:
                self.weights[name], _ = self.optimizer((1, name), weight, gradient.copy())

    def averages(self):
        return {name: self.optimizer.averages[(1, name)] for name in self.weights}


def assert_same_as_thinc(
    make_optimizer, *, steps, shapes=((4, 3), (3,), (2, 3, 2)), skip=(), drift=0.0
):
    """skip: steps at which the first parameter has no gradient. drift: the gradients' mean."""
    ours, mine = parameters(*shapes), make_optimizer()
    thinc = ByThinc(ours, make_optimizer())
    random = np.random.default_rng(0)
    for i in range(steps):
        gradients = [random.standard_normal(s, dtype=np.float32) + drift for s in shapes]
        gradients = [g.astype("f") for g in gradients]
        if i in skip:
            gradients[0] = None
        set_gradients(ours, *gradients)
        step(mine, ours)
        thinc.step(gradients)
        mine.step_schedules()
        thinc.optimizer.step_schedules()
    for key, parameter in ours.items():
        np.testing.assert_allclose(
            parameter.detach().numpy(), thinc.weights[key[-1]], rtol=0, atol=1e-6
        )
        if mine.averages is not None:
            np.testing.assert_allclose(
                mine.averages[key].numpy(), thinc.averages()[key[-1]], rtol=0, atol=1e-6
            )


@pytest.mark.parametrize("rule", [Adam, RAdam, SGD])
@pytest.mark.parametrize("L2, L2_is_weight_decay", [(0.0, True), (0.01, True), (0.01, False)])
@pytest.mark.parametrize("use_averages", [True, False])
def test_same_numbers_as_thinc(rule, L2, L2_is_weight_decay, use_averages):
    def make():
        return rule(
            0.001,
            L2=L2,
            L2_is_weight_decay=L2_is_weight_decay,
            use_averages=use_averages,
            grad_clip=0.0,
        )

    assert_same_as_thinc(make, steps=200)


@pytest.mark.parametrize("rule", [Adam, RAdam, SGD])
def test_same_numbers_on_a_long_way(rule):
    assert_same_as_thinc(lambda: rule(0.001, L2=0.01, grad_clip=0.0), steps=500, drift=2.0)


@pytest.mark.parametrize("rule", [Adam, RAdam, SGD])
@pytest.mark.parametrize("count", [1, 90, 900, 9_000, 80_000, 100_000, 10_000_000])
def test_averages_reach_ever_further_back_up_to_a_limit(rule, count):
    """After so many updates, of which one alone is made."""
    ours = parameters((3,))
    (key,) = ours
    optimizer = rule(0.001, use_averages=True)
    optimizer.nr_update[key] = count - 1
    optimizer.averages[key] = torch.tensor([1.0, 2.0, 3.0])
    set_gradients(ours, np.ones(3, "f"))
    step(optimizer, ours)
    kept = min((1 + count) / (10 + count), 0.9999)
    moved = optimizer.averages[key].double() - torch.tensor([1.0, 2.0, 3.0])
    want = (1 - kept) * (ours[key].detach().double() - torch.tensor([1.0, 2.0, 3.0]))
    torch.testing.assert_close(moved, want, atol=3e-7, rtol=0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Adam(warmup_linear(0.002, 20, 200), L2=0.01, grad_clip=0.0),
        lambda: Adam(0.001, beta1=compounding(0.8, 0.95, 1.001), grad_clip=0.0),
        lambda: Adam(0.001, beta2=compounding(0.9, 0.999, 1.001), eps=1e-3, grad_clip=0.0),
        lambda: RAdam(compounding(0.001, 0.002, 1.01), beta2=0.9, grad_clip=0.0),
        lambda: SGD(warmup_linear(0.01, 20, 200), L2=compounding(0.01, 0.1, 1.01), grad_clip=0.0),
    ],
)
def test_schedules(make):
    assert_same_as_thinc(make, steps=100)


def test_a_norm_below_the_clip_changes_nothing():
    assert_same_as_thinc(lambda: Adam(0.001, grad_clip=100.0), steps=20)


def test_parameters_that_are_updated_less_often():
    assert_same_as_thinc(lambda: Adam(0.001, grad_clip=0.0), steps=30, skip={0, 3, 4, 20})


@settings(deadline=None, max_examples=25)
@given(
    shapes=st.lists(
        st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple), min_size=1, max_size=4
    ),
    learn_rate=st.floats(1e-5, 1e-2),
    betas=st.tuples(st.floats(0.5, 0.95), st.floats(0.9, 0.999)),
    L2=st.sampled_from([0.0, 0.05]),
    radam=st.booleans(),
)
def test_any_shape_and_setting(shapes, learn_rate, betas, L2, radam):
    beta1, beta2 = betas
    rule = RAdam if radam else Adam
    assert_same_as_thinc(
        lambda: rule(learn_rate, beta1=beta1, beta2=beta2, L2=L2, grad_clip=0.0),
        steps=12,
        shapes=shapes,
    )


def test_parameters_that_are_not_contiguous():
    torch.manual_seed(0)
    transposed = nn.Parameter(torch.randn(3, 5).t())
    plain = nn.Parameter(transposed.detach().clone(memory_format=torch.contiguous_format))
    x = torch.randn(4, 3)
    results = []
    for weight in (transposed, plain):
        optimizer = Adam(0.01)
        for _ in range(5):
            (x @ weight.t()).square().sum().backward()
            step(optimizer, {KEY("net", "weight"): weight})
        results.append(weight.detach().contiguous())
    torch.testing.assert_close(*results, rtol=0, atol=1e-7)


def test_types_may_be_mixed():
    single, double = parameters((3, 2)), parameters((3, 2))
    wide = nn.Parameter(next(iter(double.values())).detach().double())
    both = {**single, KEY("net", "wide"): wide}
    optimizer = Adam(0.01, L2=0.1)
    for _ in range(5):
        set_gradients(both, torch.ones(3, 2), torch.ones(3, 2, dtype=torch.float64))
        step(optimizer, both)
    torch.testing.assert_close(single[KEY("net", "p0")].double(), wide, rtol=0, atol=1e-6)


# Clipping


def test_clipping_is_by_the_norm_of_all_gradients_together():
    # Each gradient has norm 4, within thinc's reach of grad_clip = 4.5; together they have 5.66.
    gradients = [np.array([4.0, 0.0], dtype="f"), np.array([0.0, 4.0], dtype="f")]
    ours = parameters((2,), (2,))
    start = [p.detach().clone() for p in ours.values()]
    thinc = ByThinc(ours, SGD(1.0, grad_clip=4.5))
    set_gradients(ours, *gradients)
    step(SGD(1.0, grad_clip=4.5), ours)
    thinc.step(gradients)
    moves = [before - p.detach() for before, p in zip(start, ours.values(), strict=True)]
    assert math.isclose(torch.cat(moves).norm(), 4.5, rel_tol=1e-5)
    by_thinc = [before.numpy() - w for before, w in zip(start, thinc.weights.values(), strict=True)]
    assert math.isclose(np.linalg.norm(np.concatenate(by_thinc)), 32**0.5, rel_tol=1e-5)


def test_clipping_keeps_the_direction_where_thinc_turns_it():
    gradients = [np.array([100.0], dtype="f"), np.array([0.5], dtype="f")]
    ours = parameters((1,), (1,))
    start = torch.cat([p.detach().clone() for p in ours.values()])
    thinc = ByThinc(ours, SGD(1.0, grad_clip=1.0))
    set_gradients(ours, *gradients)
    step(SGD(1.0, grad_clip=1.0), ours)
    thinc.step(gradients)
    move = start - torch.cat([p.detach() for p in ours.values()])
    assert math.isclose(move[0] / move[1], 200.0, rel_tol=1e-4)
    turned = start.numpy() - np.concatenate(list(thinc.weights.values()))
    assert math.isclose(turned[0] / turned[1], 2.0, rel_tol=1e-4)


@pytest.mark.parametrize("rule", [Adam, RAdam, SGD])
def test_a_clipped_step_is_a_step_with_shorter_gradients(rule):
    shapes = [(4, 3), (5,)]
    clipped, shortened = parameters(*shapes), parameters(*shapes)
    clip, plain = rule(0.01, grad_clip=0.5), rule(0.01, grad_clip=0.0)
    random = np.random.default_rng(0)
    for _ in range(12):
        gradients = [random.standard_normal(s, dtype=np.float32) for s in shapes]
        norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))
        set_gradients(clipped, *gradients)
        set_gradients(shortened, *[g * min(1.0, 0.5 / norm) for g in gradients])
        step(clip, clipped)
        step(plain, shortened)
    for a, b in zip(clipped.values(), shortened.values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


# State


def test_gradients_are_dropped_and_frozen_parameters_stay():
    weights = parameters((2,), (2,), (2,))
    frozen = weights[KEY("net", "p1")]
    before = {key: p.detach().clone() for key, p in weights.items()}
    set_gradients(weights, torch.ones(2), torch.ones(2), None)
    frozen.requires_grad_(False)
    optimizer = Adam(0.1, L2=0.1)
    step(optimizer, weights)
    moved = [not torch.equal(before[key], p) for key, p in weights.items()]
    assert moved == [True, False, False]
    assert all(p.grad is None for p in weights.values())
    assert list(optimizer.mom1) == list(optimizer.averages) == [KEY("net", "p0")]


def test_another_optimizer_starts_afresh():
    weights, used = parameters((3,)), Adam(0.1)
    for _ in range(5):
        set_gradients(weights, torch.ones(3))
        step(used, weights)
    before = next(iter(weights.values())).detach().clone()
    set_gradients(weights, -torch.ones(3))
    fresh = Adam(0.1)
    step(fresh, weights)
    # Adam's first step is learn_rate times the sign; old momentum would have pulled the other way.
    torch.testing.assert_close(next(iter(weights.values())).detach(), before + 0.1)
    assert (used.nr_update[KEY("net", "p0")], fresh.nr_update[KEY("net", "p0")]) == (5, 1)


def test_a_resized_parameter_restarts_and_the_others_go_on():
    weights, optimizer = parameters((2, 3), (4,)), Adam(0.1)
    for _ in range(3):
        set_gradients(weights, torch.ones(2, 3), torch.ones(4))
        step(optimizer, weights)
    grown = KEY("net", "p0")
    weights[grown] = nn.Parameter(torch.zeros(5, 3))
    set_gradients(weights, torch.ones(5, 3), torch.ones(4))
    step(optimizer, weights)
    assert optimizer.nr_update[grown] == 1
    assert optimizer.nr_update[KEY("net", "p1")] == 4
    assert optimizer.mom1[grown].shape == optimizer.averages[grown].shape == (5, 3)
    torch.testing.assert_close(weights[grown].detach(), torch.full((5, 3), -0.1))  # first step: lr


def test_keys_never_meet_those_of_thinc_layers():
    layer = Linear(2, 2).initialize()
    for name in ("W", "b"):
        layer.set_grad(name, np.ones_like(layer.get_param(name)))
    module = nn.ParameterDict({name: nn.Parameter(torch.zeros(3)) for name in ("W", "b")})

    # thinc's own shim: layers and shims are numbered apart, but share the dictionaries.
    theirs = PyTorchShim(module)
    theirs.id = layer.id
    for parameter in module.parameters():
        parameter.grad = torch.ones(3)
    optimizer = SGD(0.1)
    theirs.finish_update(optimizer)
    with pytest.raises(ValueError):
        layer.finish_update(optimizer)  # the average of the shim's W has another shape

    optimizer = Adam(0.1)
    for parameter in module.parameters():
        parameter.grad = torch.ones(3)
    step(optimizer, {KEY(str(layer.id), name): p for name, p in module.named_parameters()})
    layer.finish_update(optimizer)
    assert set(optimizer.mom1) == {
        (layer.id, "W"),
        (layer.id, "b"),
        KEY(str(layer.id), "W"),
        KEY(str(layer.id), "b"),
    }


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("grad_clip", [0.0, 1.0])
def test_gradients_that_are_not_finite_change_nothing(bad, grad_clip):
    weights, optimizer = parameters((2,), (2,)), Adam(0.1, grad_clip=grad_clip)
    set_gradients(weights, torch.ones(2), torch.ones(2))
    step(optimizer, weights)
    before = [p.detach().clone() for p in weights.values()]
    moments = optimizer.mom1[KEY("net", "p0")].clone()
    set_gradients(weights, torch.ones(2), torch.tensor([1.0, bad]))
    with pytest.raises(TrainingError) as error:
        step(optimizer, weights)
    assert str(error.value) == (
        "finish_update: expected finite gradients, got NaN or infinity in p1. The weights are "
        "unchanged. Lower the learning rate or set grad_clip; if it happens at the first step, "
        "check the word vectors and the targets for NaN."
    )
    assert all(torch.equal(a, b) for a, b in zip(before, weights.values(), strict=True))
    assert torch.equal(moments, optimizer.mom1[KEY("net", "p0")])
    assert optimizer.nr_update[KEY("net", "p0")] == 1
    # Whoever catches the error can go on with the next batch.
    set_gradients(weights, torch.ones(2), torch.ones(2))
    step(optimizer, weights)
    assert all(bool(p.isfinite().all()) for p in weights.values())


def test_gradients_too_large_to_add_up():
    weights = parameters((2,))
    set_gradients(weights, torch.full((2,), 1e30))
    with pytest.raises(TrainingError, match="got a norm beyond float32. The weights are"):
        step(SGD(0.1), weights)


def test_thinc_lets_nan_into_the_weights():
    thinc = ByThinc(parameters((2,)), Adam(0.1))
    thinc.step([np.array([1.0, math.nan], dtype="f")])
    assert np.isnan(thinc.weights["p0"]).any()


def test_a_module_without_gradients_is_left_alone():
    weights, optimizer = parameters((2,)), Adam(0.1)
    step(optimizer, weights)
    step(optimizer, {})
    assert isinstance(optimizer, Optimizer)
    assert not optimizer.mom1 and not optimizer.averages and not optimizer.nr_update


@pytest.mark.parametrize(("clip", "scale"), [(0.0, 1.0), (2.5, 2.0), (10.0, 1.0)])
def test_a_step_tells_the_norm_before_clipping(clip, scale):
    ours = parameters((2,), (1,))
    set_gradients(ours, [3.0, 0.0], [4.0])
    assert step(Adam(0.25, grad_clip=clip), ours) == StepReport(5.0, scale, 0.25)
    assert step(Adam(0.25), ours) is None  # the gradients are gone
