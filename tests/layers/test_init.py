import pytest
import torch

from rnnpipe.layers.init import fill_gate_, orthogonal_blocks_, uniform_blocks_


def test_every_square_block_is_orthogonal_and_none_like_another():
    weight = orthogonal_blocks_(torch.empty(2, 5, 15))
    blocks = [block for direction in weight for block in direction.split(5, dim=1)]
    for block in blocks:
        torch.testing.assert_close(block @ block.T, torch.eye(5), atol=1e-5, rtol=0)
    assert len({tuple(block.flatten().tolist()) for block in blocks}) == 6


def test_input_blocks_are_scaled_one_by_one():
    weight = uniform_blocks_(torch.empty(1, 10, 4000), width=1000)
    bound = (6 / 1010) ** 0.5
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)


def test_only_the_gate_that_was_asked_for_is_filled():
    bias = fill_gate_(torch.zeros(2, 1, 6), gate=1, width=2, value=1.5)
    assert bias.tolist() == [[[0, 0, 1.5, 1.5, 0, 0]]] * 2


def test_weights_begin_without_a_gradient_history():
    weight = torch.nn.Parameter(torch.empty(1, 3, 6))
    assert orthogonal_blocks_(weight).grad_fn is None
    assert uniform_blocks_(weight, 3).requires_grad
