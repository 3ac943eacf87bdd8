"""How recurrent weights begin."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def orthogonal_blocks_(weight: Tensor) -> Tensor:
    """Fill each square block of recurrent matrices with an orthogonal matrix of its own, so that a
    step neither stretches nor shrinks a state (Saxe et al. 2014).

    weight: ``(directions, H, gates * H)``, filled in place and returned.
    """
    for direction in weight:
        for block in direction.split(weight.shape[1], dim=1):
            nn.init.orthogonal_(block)
    return weight


@torch.no_grad()
def uniform_blocks_(weight: Tensor, width: int) -> Tensor:
    """Fill each block of input matrices as if it stood alone (Glorot and Bengio 2010): uniform in
    ``+- sqrt(6 / (n_in + width))``.

    weight: ``(directions, n_in, gates * width)``, filled in place and returned.
    """
    bound = (6.0 / (weight.shape[1] + width)) ** 0.5
    return nn.init.uniform_(weight, -bound, bound)


@torch.no_grad()
def fill_gate_(bias: Tensor, gate: int, width: int, value: float) -> Tensor:
    """Set the bias of one gate. 1 for a forget gate keeps it open at the start, so that gradients
    reach far back (Gers et al. 2000; Jozefowicz et al. 2015).

    bias: ``(directions, 1, gates * width)``, changed in place and returned.
    """
    bias.narrow(-1, gate * width, width).fill_(value)
    return bias
