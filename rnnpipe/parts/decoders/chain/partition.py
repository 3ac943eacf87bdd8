"""The log-partition function, with forward-backward as its gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rnnpipe.parts.decoders.chain.compiled import CompiledPartition, partition_compiles
from rnnpipe.parts.decoders.chain.logspace import LogMessages, log_messages
from rnnpipe.parts.decoders.chain.lowering import Lowering, find_lowering
from rnnpipe.parts.decoders.chain.potentials import Chain
from rnnpipe.parts.decoders.chain.scaled import ScaledMessages, scaled_messages
from rnnpipe.structures import Sequences


def log_partition(chain: Chain) -> Tensor:
    """``log Z`` of each document in nats, ``(B,)``; 0 for an empty one.

    Its gradient in the emissions is ``p(y_t)`` and in the transitions ``sum_t p(y_t, y_t+1)``; both
    come from one sweep forward and one backward, not from an autograd graph through the steps.
    ``-inf``, with a gradient of zero, where every sequence is forbidden.
    """
    return _partition(chain, None)


def surprisal(chain: Chain, paths: Tensor) -> Tensor:
    """``-log p(y) = log Z - score(y)`` of one sequence a document in nats, ``(B,)``.

    paths: ``(B, T)`` label ids, anything at padding.
    """
    return _partition(chain, paths)


@torch.no_grad()
def marginals(chain: Chain) -> Tensor:
    """``p(y_t)``, ``(B, T, L)``, zeros at padding."""
    weights = chain.emissions.new_ones(chain.structure.batch_size)
    nodes, _ = _messages(chain, find_lowering(chain)).expectations(weights)
    return nodes[:-1, :, :-1].transpose(0, 1).to(chain.emissions.dtype)


@torch.no_grad()
def messages(chain: Chain) -> LogMessages:
    """Return the logarithmic messages of a batch, in float64 where the device has it."""
    lowering = find_lowering(chain)
    return scaled_messages(chain, lowering).log() if lowering else log_messages(chain.double())


def _messages(chain: Chain, lowering: Lowering | None) -> ScaledMessages | LogMessages:
    return scaled_messages(chain, lowering) if lowering else log_messages(chain)


def _partition(chain: Chain, paths: Tensor | None) -> Tensor:
    """``log Z``, less the score of a path if one is given, ``(B,)``."""
    lowering = find_lowering(chain)
    function = CompiledPartition if partition_compiles(chain, lowering) else _Partition
    arguments = (*chain.scores, chain.structure, paths, lowering)
    value: Tensor = function.apply(*arguments)  # type: ignore[no-untyped-call]
    return value


class _Partition(torch.autograd.Function):
    """``log Z``, less the score of a path if one is given, by torch operations on any device."""

    @staticmethod
    def forward(
        ctx: Any,
        emissions: Tensor,
        transitions: Tensor,
        start: Tensor,
        end: Tensor,
        structure: Sequences,
        paths: Tensor | None,
        lowering: Lowering | None,
    ) -> Tensor:
        chain = Chain(emissions, transitions, start, end, structure)
        sums = _messages(chain, lowering)
        path = None if paths is None else chain.close_path(paths)
        ctx.dtype, ctx.messages, ctx.path = emissions.dtype, sums, path
        value = (
            sums.log_total + sums.lowered
            if path is None
            else sums.log_total - sums.closed.score(path)
        )
        return value.to(emissions.dtype)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, weights: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, None, None, None]:
        sums: ScaledMessages | LogMessages = ctx.messages
        nodes, steps = (x.to(ctx.dtype) for x in sums.expectations(weights))
        if ctx.path is not None:
            less = -weights.expand_as(ctx.path)
            pairs = sums.closed.pairs_of(ctx.path)
            nodes.scatter_add_(2, ctx.path.unsqueeze(2), less.unsqueeze(2))
            if sums.closed.by_step:
                steps.flatten(2).scatter_add_(2, pairs.unsqueeze(2), less[1:].unsqueeze(2))
            else:
                steps.view(-1).index_add_(0, pairs.flatten(), less[1:].flatten())
        moves, ends = steps[..., :-1, :-1], steps[..., :-1, -1]
        if sums.closed.by_step:
            moves, ends = moves[:-1].transpose(0, 1), ends.sum((0, 1))
        nodes = nodes[:-1, :, :-1]
        return nodes.transpose(0, 1), moves, nodes[:1].sum((0, 1)), ends, None, None, None
