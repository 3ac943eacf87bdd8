"""What thinc's shim leaves undone, shown on thinc's, and that ours does it."""

import copy
import pickle
import threading

import numpy as np
import pytest
import safetensors.torch
import torch
from thinc.api import SGD, Adam, ArgsKwargs, Model, PyTorchShim, PyTorchWrapper, set_dropout_rate
from torch import nn

from rnnpipe.errors import SettingsError, StructureError, WeightsError
from rnnpipe.layers.dropout import Dropout
from rnnpipe.shim.optimizer_step import parameter_key
from rnnpipe.shim.torch_shim import TorchShim
from rnnpipe.shim.torch_wrapper import TorchWrapper

LONG = 10  # seconds after which a test has failed
X = np.ones((4, 3), dtype="f")


class Net(nn.Module):
    def __init__(self, n_in=3, n_out=2, dropout=None):
        super().__init__()
        self.dropout = Dropout(dropout)
        self.layer = nn.Linear(n_in, n_out)

    def forward(self, x):
        return self.layer(self.dropout(x))


def build(facts):
    return Net(facts["n_in"], facts["n_out"])


FACTS = {"n_in": 3, "n_out": 2}


def make_net(seed=0, **settings):
    torch.manual_seed(seed)
    return Net(**settings)


def make_shim(seed=0):
    return TorchShim(make_net(seed), build, FACTS)


def call(x=X):
    return ArgsKwargs(args=(torch.from_numpy(x),), kwargs={})


def train(model, optimizer, steps=3):
    for _ in range(steps):
        Y, backprop = model.begin_update(X)
        backprop(np.ones_like(Y))
        model.finish_update(optimizer)


def weights(shim):
    return [p.detach().clone() for p in shim._model.parameters()]


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def in_thread(function):
    """Start it; the result is ``thread.result`` after ``join``."""

    def target():
        thread.result = function()

    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


# Dropout


class Ones(nn.Module):
    """Shows the dropout rate: the share of ones that become zeros."""

    def __init__(self, dropout):
        super().__init__()
        self.dropout = dropout
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.dropout(x * self.weight)


def dropped(model, rate):
    set_dropout_rate(model, rate)  # as TrainablePipe.update does with [training] dropout
    torch.manual_seed(0)
    x = np.ones((200, 50), dtype="f")
    assert (model.predict(x) == 1).all()
    return float((model.begin_update(x)[0] == 0).mean())


def test_the_loops_rate_does_not_reach_modules_through_thinc():
    assert dropped(PyTorchWrapper(Ones(Dropout())), 0.4) == 0.0


def test_the_loops_rate_reaches_modules():
    model = TorchWrapper(Ones(Dropout()))
    assert dropped(model, 0.4) == pytest.approx(0.4, abs=0.02)
    assert dropped(model, 0.0) == 0.0


@pytest.mark.parametrize("own", [Dropout(0.2), nn.Dropout(0.2)])
def test_a_rate_of_their_own_wins(own):
    assert dropped(TorchWrapper(Ones(own)), 0.4) == pytest.approx(0.2, abs=0.02)


# Mode and threads


class Interrupted(nn.Module):
    """Calls ``meanwhile`` once, in the middle of the forward pass."""

    def __init__(self):
        super().__init__()
        self.meanwhile = None
        self.dropout = nn.Dropout(0.5)
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return self.dropout(x * self.weight)


@pytest.mark.parametrize("make, right", [(PyTorchShim, False), (TorchShim, True)])
def test_prediction_beside_a_prediction(make, right):
    """One thread predicts from start to end while another is in the middle."""
    shim = make(Interrupted())
    shim._model.meanwhile = lambda: in_thread(lambda: shim.predict(call())).join(LONG)
    outputs = shim.predict(call())
    assert bool((outputs == 1).all()) is right, "dropout in a prediction"


def test_predictions_run_at_the_same_time():
    shim, meeting = TorchShim(Interrupted()), threading.Barrier(2)
    net = shim.module

    def meet():
        net.meanwhile = None if meeting.n_waiting else meet
        meeting.wait(LONG)

    net.meanwhile = meet
    threads = [in_thread(lambda: shim.predict(call())) for _ in range(2)]
    for thread in threads:
        thread.join(LONG)
        assert bool((thread.result == 1).all())


def test_a_prediction_waits_for_a_training_pass():
    shim, order = TorchShim(Ones(nn.Dropout(0.5))), []

    def predict():
        outputs = shim.predict(call())
        order.append("predicted")
        return outputs

    with shim.training():
        thread = in_thread(predict)
        thread.join(0.05)
        order.append("trained")
    thread.join(LONG)
    assert order == ["trained", "predicted"]
    assert bool((thread.result == 1).all())


def test_the_module_rests_in_evaluation_mode():
    theirs, ours = PyTorchShim(Net()), TorchShim(Net())
    for shim in (theirs, ours):
        shim.predict(call())
    assert theirs._model.training and not ours.module.training
    ours.begin_update(call())
    assert not ours.module.training and not ours.module.dropout.training


@pytest.mark.parametrize("enter", [TorchShim.training, TorchShim.evaluation])
def test_errors_leave_nothing_behind(enter):
    shim = make_shim()
    with pytest.raises(KeyError), enter(shim):
        raise KeyError
    assert not shim.module.training and torch.is_grad_enabled()
    with shim.training() as module:
        assert module.training


def test_prediction_within_training():
    shim = make_shim()
    with shim.training(0.5) as module:
        with shim.evaluation():
            assert not module.training and not torch.is_grad_enabled()
        assert module.training and torch.is_grad_enabled()


def test_predictions_may_be_fed_on():
    shim = make_shim()
    outputs = shim.predict(call())
    assert not outputs.requires_grad
    weight = torch.ones(2, requires_grad=True)
    (outputs * weight).sum().backward()  # an inference-mode tensor would refuse
    assert weight.grad is not None


# The layer


def test_a_wrapped_module_is_the_module():
    net = make_net()
    model = TorchWrapper(net)
    x = torch.from_numpy(X).requires_grad_()
    outputs = net(x)
    outputs.sum().backward()
    gradients = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    Y, backprop = model.begin_update(X)
    dX = backprop(np.ones_like(Y))
    np.testing.assert_array_equal(Y, outputs.detach().numpy())
    np.testing.assert_array_equal(model.predict(X), Y)
    np.testing.assert_array_equal(model(X, is_train=False)[0], Y)
    np.testing.assert_array_equal(dX, x.grad.numpy())
    assert same(gradients, [p.grad for p in net.parameters()])


@pytest.mark.parametrize("rule", [Adam, SGD])
def test_trains_like_thincs_wrapper(rule):
    """No gradient here reaches thinc's clip, which is by tensor."""
    models = [PyTorchWrapper(make_net()), TorchWrapper(make_net())]
    for model in models:
        train(model, rule(0.01, L2=0.01, grad_clip=100.0), steps=20)
    for a, b in zip(weights(models[0].shims[0]), weights(models[1].shims[0]), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


def test_bfloat16():
    torch.manual_seed(0)
    single, half = TorchWrapper(make_net()), TorchWrapper(make_net(), precision="bfloat16")
    with half.shims[0].evaluation() as module:
        assert module(torch.from_numpy(X)).dtype == torch.bfloat16
    expected = single.predict(X)
    for got in (half.predict(X), half.begin_update(X)[0]):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, expected, atol=0.02)
    train(half, Adam(0.01))
    assert all(p.dtype == torch.float32 for p in half.shims[0].module.parameters())


# Averages


def averaging(make_layer):
    model, optimizer = make_layer(make_net()), Adam(0.1)
    train(model, optimizer, steps=5)
    return model, optimizer


def test_averages_never_reach_modules_through_thinc():
    model, optimizer = averaging(PyTorchWrapper)
    trained = model.predict(X)
    with model.use_params(optimizer.averages):
        np.testing.assert_array_equal(model.predict(X), trained)


def test_averages_are_used_and_saved():
    model, optimizer = averaging(TorchWrapper)
    shim = model.shims[0]
    trained = weights(shim)
    averages = [optimizer.averages[parameter_key(shim._owner, n)].clone() for n in NAMES]
    with model.use_params(optimizer.averages):
        assert same(weights(shim), averages)
        saved = model.to_bytes()
    assert same(weights(shim), trained) and not same(trained, averages)
    loaded = TorchWrapper(make_net(seed=1)).from_bytes(saved)
    assert same(weights(loaded.shims[0]), averages)
    assert same([optimizer.averages[parameter_key(shim._owner, n)] for n in NAMES], averages)


NAMES = ["layer.weight", "layer.bias"]


def test_averages_are_taken_back_after_an_error():
    model, optimizer = averaging(TorchWrapper)
    trained = weights(model.shims[0])
    with pytest.raises(KeyError), model.use_params(optimizer.averages):
        raise KeyError
    assert same(weights(model.shims[0]), trained)


def test_averages_in_averages():
    model, optimizer = averaging(TorchWrapper)
    shim = model.shims[0]
    trained, key = weights(shim), parameter_key(shim._owner, "layer.bias")
    with model.use_params(optimizer.averages):
        averaged = weights(shim)
        with model.use_params({key: torch.zeros(2)}):
            assert same(weights(shim), [averaged[0], torch.zeros(2)])
        assert same(weights(shim), averaged)
    assert same(weights(shim), trained)


def test_averages_of_others_and_of_other_shapes_are_left_alone():
    model, optimizer = averaging(TorchWrapper)
    shim = model.shims[0]
    trained = weights(shim)
    other = TorchWrapper(make_net())
    other.shims[0].id = shim.id
    with other.use_params(optimizer.averages):
        assert same(weights(other.shims[0]), weights(TorchShim(make_net())))
    grown = {parameter_key(shim._owner, "layer.weight"): torch.zeros(5, 3)}
    with model.use_params(grown), model.use_params({}):
        assert same(weights(shim), trained)


def test_training_goes_on_where_it_was():
    torch.manual_seed(0)
    straight, interrupted = TorchWrapper(make_net()), TorchWrapper(make_net())
    for model in (straight, interrupted):
        optimizer = Adam(0.1)
        for _ in range(3):
            train(model, optimizer)
            if model is interrupted:
                with model.use_params(optimizer.averages):
                    model.predict(X)
    assert same(weights(straight.shims[0]), weights(interrupted.shims[0]))


# The version of the weights


def test_weights_version_changes_with_the_weights_and_only_then():
    model, optimizer = averaging(TorchWrapper)
    shim = model.shims[0]
    seen = [shim.weights_version]

    def changed():
        seen.append(shim.weights_version)
        return len(set(seen)) == len(seen)

    model.predict(X)
    _, backprop = model.begin_update(X)
    backprop(np.ones((4, 2), dtype="f"))
    shim.to_bytes()
    assert shim.weights_version == seen[0]
    shim.finish_update(optimizer)
    assert changed()
    with model.use_params(optimizer.averages):
        assert changed()
    assert changed()
    shim.from_bytes(shim.to_bytes())
    assert changed()
    shim.to_device("cpu", -1)
    assert changed()
    shim.set_module(make_net(), FACTS)
    assert changed()


# Storing


def test_thinc_stores_a_pickle():
    assert b"data.pkl" in PyTorchShim(Net()).to_bytes()


def test_weights_are_stored_without_pickle_and_with_their_sizes():
    shim = make_shim(seed=3)
    data = shim.to_bytes()
    assert safetensors.torch.load(data).keys() == set(NAMES)
    loaded = TorchShim(None, build).from_bytes(data)
    assert loaded.facts == FACTS and same(weights(loaded), weights(shim))
    assert not loaded.module.training
    assert loaded.to_bytes() == data


def test_stored_sizes_win_over_those_that_are_there():
    grown = TorchShim(Net(n_out=7), build, {"n_in": 3, "n_out": 7})
    shim = make_shim().from_bytes(grown.to_bytes())
    assert shim.module.layer.out_features == 7 and shim.facts["n_out"] == 7
    with pytest.raises(RuntimeError, match="size mismatch"):  # what thinc says to that
        PyTorchShim(Net()).from_bytes(PyTorchShim(Net(n_out=7)).to_bytes())


def test_before_initialisation():
    shim = TorchShim(None, build)
    for again in (TorchShim(None, build), make_shim()):
        again.from_bytes(shim.to_bytes())
        assert again.facts is None
        with pytest.raises(StructureError) as error:
            again.predict(call())
        assert str(error.value) == (
            "network: expected weights, got no weights yet. Call nlp.initialize() or load a "
            "trained pipeline first."
        )
    shim.finish_update(Adam(0.1))
    with shim.use_params({"a": 1}):
        pass
    shim.to_device("cpu", -1)
    assert pickle.loads(pickle.dumps(shim)).copy().to_bytes() == shim.to_bytes()


def test_facts_that_do_not_fit_and_damage_change_nothing():
    shim = make_shim()
    before, version = weights(shim), shim.weights_version
    wrong_facts = TorchShim(Net(), build, {"n_in": 3}).to_bytes()
    wrong_sizes = TorchShim(Net(n_out=7), build, FACTS).to_bytes()
    remedy = "Load them into a network with the settings used in training."
    for data, message in [
        (
            wrong_facts,
            (
                "weights: expected facts from which this network can be built, got different "
                f"facts (KeyError: 'n_out'). {remedy}"
            ),
        ),
        (
            wrong_sizes,
            f"weights: expected float32 (2, 3) for layer.weight, got float32 (7, 3). {remedy}",
        ),
        (shim.to_bytes()[:-1], "weights: expected a complete safetensors file, got none ("),
    ]:
        with pytest.raises(WeightsError) as error:
            shim.from_bytes(data)
        assert str(error.value).startswith(message)
        assert same(weights(shim), before)
        assert (shim.facts, shim.weights_version) == (FACTS, version)


def test_a_module_that_nobody_builds_keeps_its_size():
    shim = TorchShim(make_net())
    shim.from_bytes(TorchShim(make_net(seed=1)).to_bytes())
    assert same(weights(shim), weights(TorchShim(make_net(seed=1))))
    with pytest.raises(WeightsError, match="missing .*layer.weight"):
        shim.from_bytes(TorchShim(None, build).to_bytes())


def test_facts_are_plain_json_from_the_start():
    assert TorchShim(None, build, {"sizes": (1, 2)}).facts == {"sizes": [1, 2]}
    with pytest.raises(TypeError):
        make_shim().set_module(Net(), {"labels": {1}})


# A function in the optimizer's place, as nlp.rehearse has it: it steps later, and in place


def test_a_function_is_handed_weights_and_gradients():
    shim, seen = make_shim(), {}
    with shim.training() as module:
        module(torch.from_numpy(X)).sum().backward()
    gradients = [p.grad.clone().numpy() for p in shim.module.parameters()]
    shim.finish_update(lambda key, weight, gradient: seen.update({key: (weight, gradient)}))
    assert [key[-1] for key in seen] == NAMES
    assert all(p.grad is None for p in shim.module.parameters())
    for (weight, gradient), expected in zip(seen.values(), gradients, strict=True):
        np.testing.assert_array_equal(gradient, expected)
        weight -= 1
    for parameter, before in zip(shim.module.parameters(), weights(make_shim()), strict=True):
        torch.testing.assert_close(parameter.detach(), before - 1)


# Copies


@pytest.mark.parametrize(
    "duplicate", [TorchShim.copy, copy.deepcopy, lambda shim: pickle.loads(pickle.dumps(shim))]
)
def test_copies_share_nothing(duplicate):
    shim = make_shim()
    other = duplicate(shim)
    before = weights(shim)
    assert same(weights(other), before) and other.facts == shim.facts
    Model("x", None, shims=[other]).finish_update(SGD(0.1))
    with other.training() as module:
        module(torch.from_numpy(X)).sum().backward()
    other.finish_update(SGD(0.1))
    assert same(weights(shim), before) and not same(weights(other), before)


def test_optimizer_state_stays_with_a_pickled_shim_and_leaves_a_copy():
    model, optimizer = averaging(TorchWrapper)
    shim = model.shims[0]
    for other, knows in [(pickle.loads(pickle.dumps(shim)), True), (shim.copy(), False)]:
        before = weights(other)
        with other.use_params(optimizer.averages):
            assert same(weights(other), before) is not knows
    assert model.copy().shims[0]._owner != shim._owner


def test_labels_added_in_training():
    shim, optimizer = make_shim(), Adam(0.1)
    for n_out in (2, 3):
        with shim.training() as module:
            module(torch.from_numpy(X)).sum().backward()
        shim.finish_update(optimizer)
        grown = Net(n_out=n_out + 1)
        shim.set_module(grown, {"n_in": 3, "n_out": n_out + 1})
    with shim.use_params(optimizer.averages):  # of the last size but one: left alone
        assert shim.module.layer.out_features == 4
    assert TorchShim(None, build).from_bytes(shim.to_bytes()).module.layer.out_features == 4


# Wrong use


def test_wrong_use_is_told():
    with pytest.raises(StructureError, match="TorchShim: expected a module, or a function build"):
        TorchShim(None)
    with pytest.raises(SettingsError, match="precision: expected 'float32' or 'bfloat16', got 'f"):
        TorchShim(Net(), precision="float16")
    with pytest.raises(SettingsError, match="expected a thinc.api.Optimizer, got 'Adam'"):
        net = Net()
        TorchShim(net).finish_update(torch.optim.Adam(net.parameters()))
    shim = make_shim()
    with shim.evaluation(), pytest.raises(RuntimeError, match=r"Exit evaluation\(\) before"):
        shim.finish_update(Adam(0.1))
