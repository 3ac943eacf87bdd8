"""Gradients that parameters get all at once or not at all."""

import pytest
import torch

from rnnpipe.shim.private_gradients import add_gradients, private_gradients


@pytest.fixture
def module():
    return torch.nn.Linear(2, 1)


def learn(module):
    module(torch.ones(3, 2)).sum().backward()


def test_parameters_keep_the_gradients_that_they_hold(module):
    module.weight.grad = torch.full((1, 2), 5.0)
    with private_gradients(module) as gradients:
        learn(module)
        learn(module)
    assert module.weight.grad.tolist() == [[5.0, 5.0]]
    assert module.bias.grad is None
    assert gradients[module.weight].tolist() == [[6.0, 6.0]]
    assert gradients[module.bias].tolist() == [6.0]


def test_collected_gradients_are_added(module):
    held = module.weight.grad = torch.full((1, 2), 5.0)
    with private_gradients(module) as gradients:
        learn(module)
    add_gradients(gradients)
    assert module.weight.grad is held
    assert held.tolist() == [[8.0, 8.0]]
    assert module.bias.grad is gradients[module.bias]  # without a copy


def test_only_what_has_a_gradient_gets_one(module):
    module.bias.requires_grad_(False)
    with private_gradients(module) as gradients:
        learn(module)
    add_gradients(gradients)
    assert module.bias.grad is None


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_gradients_as_they_were(module, error):
    held = module.weight.grad = torch.ones(1, 2)
    with pytest.raises(error), private_gradients(module) as gradients:
        learn(module)
        raise error
    assert module.weight.grad is held
    assert held.tolist() == [[1.0, 1.0]]
    assert module.bias.grad is None
    assert gradients == {}
