"""The log-partition function, with forward-backward as its gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rnnpipe.decoders.chain.logspace import LogMessages, log_messages
from rnnpipe.decoders.chain.potentials import Chain
from rnnpipe.decoders.chain.scaled import ScaledMessages, rescale_interval, scaled_messages
from rnnpipe.structures import Sequences


def log_partition(chain: Chain) -> Tensor:
    """``log Z`` of each document in nats, ``(B,)``; 0 for an empty one.

    Its gradient in the emissions is ``p(y_t)`` and in the transitions ``sum_t p(y_t, y_t+1)``; both
    come from one forward and one backward sweep, not from an autograd graph through the steps.
    ``-inf``, with a gradient of zero, where every sequence is forbidden.
    """
    value: Tensor = _LogPartition.apply(  # type: ignore[no-untyped-call]
        chain.emissions, chain.transitions, chain.start, chain.end, chain.structure
    )
    return value


@torch.no_grad()
def marginals(chain: Chain) -> Tensor:
    """``p(y_t)``, ``(B, T, L)``, zeros at padding."""
    if chain.emissions.numel() == 0:
        return torch.zeros_like(chain.emissions)
    return _messages(chain).posterior().to(chain.emissions.dtype)


@torch.no_grad()
def messages(chain: Chain) -> LogMessages:
    """The logarithmic messages of a batch with at least one node, in float64 where possible."""
    interval = rescale_interval(chain)
    if interval is None:
        return log_messages(chain.double())
    return scaled_messages(chain, interval).log()


def _messages(chain: Chain) -> ScaledMessages | LogMessages:
    interval = rescale_interval(chain)
    return log_messages(chain) if interval is None else scaled_messages(chain, interval)


class _LogPartition(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        emissions: Tensor,
        transitions: Tensor,
        start: Tensor,
        end: Tensor,
        structure: Sequences,
    ) -> Tensor:
        chain = Chain(emissions, transitions, start, end, structure)
        ctx.chain, ctx.messages = chain, None
        if emissions.numel() == 0:
            return emissions.new_zeros(emissions.shape[0])
        ctx.messages = found = _messages(chain)
        return found.log_partition.to(emissions.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, weights: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        chain: Chain = ctx.chain
        if ctx.messages is None:
            scores = (chain.emissions, chain.transitions, chain.start, chain.end)
            nothing = [torch.zeros_like(score) for score in scores]
            return nothing[0], nothing[1], nothing[2], nothing[3], None
        nodes = ctx.messages.posterior() * weights[:, None, None]
        moves = ctx.messages.expected_transitions(weights)
        dtype = chain.emissions.dtype
        return (
            nodes.to(dtype),
            moves.to(dtype),
            nodes[:, 0].sum(0).to(dtype),
            chain.structure.last(nodes).sum(0).to(dtype),
            None,
        )
