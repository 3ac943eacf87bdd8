"""Forward-backward and Viterbi by compiled kernels: the fast way on a CPU."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rnnpipe.layers.jit import kernels
from rnnpipe.parts.decoders.chain.lowering import Lowering
from rnnpipe.parts.decoders.chain.potentials import Chain
from rnnpipe.structures import Sequences

_KERNELS = "rnnpipe.parts.decoders.chain.kernels"
#: The natural logarithm of the range of float32 numbers below 1 that exponentials may use, of 87.
SINGLE_RANGE = 80.0


def partition_compiles(chain: Chain, lowering: Lowering | None) -> bool:
    """Return whether there are kernels for the sums of this chain.

    They need the same transitions at every step, and keep the exponentials of float32 scores in
    float32, so that these must not be too far apart.
    """
    if lowering is None or chain.by_step or kernels(_KERNELS) is None:
        return False
    return chain.emissions.dtype == torch.float64 or lowering.depth < SINGLE_RANGE


def viterbi_compiles(chain: Chain) -> bool:
    """Return whether there is a kernel for the best sequences of this chain."""
    return (
        not chain.by_step and chain.emissions.device.type == "cpu" and kernels(_KERNELS) is not None
    )


class CompiledPartition(torch.autograd.Function):
    """``log Z``, less the score of a path if one is given, ``(B,)``, by compiled kernels.

    Works on probabilities as :mod:`rnnpipe.parts.decoders.chain.scaled` does, but rescales at every
    node.
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
        run = cast(Any, kernels(_KERNELS))
        scores = [s.detach().contiguous().numpy() for s in (emissions, transitions, start, end)]
        factors = (emissions.detach() - lowering.peak).exp_()
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
        run = cast(Any, kernels(_KERNELS))
        shares = weights.double().contiguous().numpy()
        found = [np.zeros(array.shape, ctx.dtype) for array in ctx.arrays[:-1]]
        run.backward(*ctx.arrays, ctx.reached, shares, *found)
        if ctx.path is not None:
            run.subtract_path(ctx.arrays[-1], ctx.path, shares, *found)
        return (*map(torch.from_numpy, found), None, None, None)


def compiled_viterbi(chain: Chain) -> Tensor:
    """Return the most probable sequence, ``(B, T)`` int64, 0 at padding."""
    run = cast(Any, kernels(_KERNELS))
    paths = torch.zeros(chain.emissions.shape[:2], dtype=torch.int64)
    scores = [score.detach().contiguous().numpy() for score in chain.scores]
    run.viterbi(*scores, chain.structure.lengths.numpy(), paths.numpy())
    return paths
