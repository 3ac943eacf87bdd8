"""Forward-backward and Viterbi by compiled kernels: the fast way on a CPU, where numba is installed
(``pip install rnnpipe[fast]``)."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rnnpipe.decoders.chain.lowering import Lowering
from rnnpipe.decoders.chain.potentials import Chain
from rnnpipe.structures import Sequences


@functools.cache
def kernels() -> ModuleType | None:
    """The module of compiled kernels, or ``None`` without a numba that can be imported."""
    try:
        from rnnpipe.decoders.chain import kernels as found
    except ImportError:
        return None
    return found


def can_compile(chain: Chain) -> bool:
    """Whether there are kernels for this chain: on a CPU, the same transitions everywhere."""
    return not chain.by_step and chain.emissions.device.type == "cpu" and kernels() is not None


class CompiledPartition(torch.autograd.Function):
    """``log Z``, less the score of a path if one is given, ``(B,)``, by compiled kernels.

    Works on probabilities as :mod:`rnnpipe.decoders.chain.scaled` does, but rescales at every node.
    """

    @staticmethod
    def forward(
        ctx: Any,
        emissions: Tensor,
        transitions: Tensor,
        start: Tensor,
        end: Tensor,
        structure: Sequences,
        paths: Tensor | None,
        lowering: Lowering,
    ) -> Tensor:
        run = kernels()
        assert run is not None
        scores = [s.detach().contiguous().numpy() for s in (emissions, transitions, start, end)]
        # One new array, not three: fresh memory costs as much as the sums.
        factors = emissions.detach().to(torch.float64, copy=True).sub_(lowering.peak).exp_()
        arrays = (factors.contiguous().numpy(), *scores[1:], structure.lengths.numpy())
        reached, value = np.empty(emissions.shape), np.empty(len(emissions))
        run.forward(*arrays, lowering.peak, reached, value)
        path = None if paths is None else paths.contiguous().numpy()
        if path is not None:
            run.subtract_score(*scores, arrays[-1], path, value)
        ctx.arrays, ctx.reached, ctx.path, ctx.dtype = arrays, reached, path, scores[0].dtype
        return torch.from_numpy(value.astype(ctx.dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, weights: Tensor) -> tuple[Tensor | None, ...]:
        run = kernels()
        assert run is not None
        shares = weights.double().contiguous().numpy()
        found = [np.zeros(array.shape, ctx.dtype) for array in ctx.arrays[:-1]]
        run.backward(*ctx.arrays, ctx.reached, shares, *found)
        if ctx.path is not None:
            run.subtract_path(ctx.arrays[-1], ctx.path, shares, *found)
        return (*map(torch.from_numpy, found), None, None, None)


def compiled_viterbi(chain: Chain) -> Tensor:
    """The most probable sequence, ``(B, T)`` int64, 0 at padding."""
    run = kernels()
    assert run is not None
    paths = torch.zeros(chain.emissions.shape[:2], dtype=torch.int64)
    scores = [score.detach().contiguous().numpy() for score in chain.scores]
    run.viterbi(*scores, chain.structure.lengths.numpy(), paths.numpy())
    return paths
