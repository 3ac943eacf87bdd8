"""The memory of an mLSTM: written to and read node by node, or a chunk of nodes at once.

Both are the same function (Beck et al. 2024, appendix A.3; chunks as in Hua et al. 2022,
Transformer Quality in Linear Time). C and n are kept divided by ``exp(m)``,
``m_t = max(log f_t + m_{t-1}, log i_t)``: no exponential is greater than 1. What is read does not
depend on m, so that no gradient goes through it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

#: How many nodes see each other at once; time and memory are linear in a document's length.
CHUNK = 64
#: Less than any logarithm that occurs, and finite, so that differences are numbers.
LOG_0 = -1e30


class Memory(NamedTuple):
    """C ``(..., heads, e, e)``, from keys to values; n ``(..., heads, e)``; m ``(..., heads)``."""

    matrix: Tensor
    normaliser: Tensor
    log_scale: Tensor

    def written(self, k: Tensor, v: Tensor, log_i: Tensor, log_f: Tensor) -> Memory:
        """The memory after one node. k, v: ``(..., heads, e)``. log_i, log_f: ``(..., heads)``."""
        kept = log_f + self.log_scale
        m = torch.maximum(kept, log_i).detach()
        f, i = (kept - m).exp().unsqueeze(-1), (log_i - m).exp().unsqueeze(-1)
        added = (i * v).unsqueeze(-1) * k.unsqueeze(-2)  # (..., heads, e, e)
        return Memory(f.unsqueeze(-1) * self.matrix + added, f * self.normaliser + i * k, m)


def read(memory: Memory, q: Tensor) -> Tensor:
    """``C q / max(|n . q|, 1)``. q: ``(..., heads, e)``."""
    found = (memory.matrix @ q.unsqueeze(-1)).squeeze(-1)
    return found / _bounded((memory.normaliser * q).sum(-1, keepdim=True), memory.log_scale)


def _bounded(weight: Tensor, log_scale: Tensor) -> Tensor:
    """``max(|n . q|, 1)``, divided by ``exp(m)`` as both n and C are."""
    return torch.maximum(weight.abs(), (-log_scale).exp().unsqueeze(-1))


def read_and_write(
    memory: Memory,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    log_i: Tensor,
    log_f: Tensor,
    present: Tensor,
) -> tuple[Tensor, Memory]:
    """What every node reads after it has written, ``(D, T, B, heads, e)``, and the memories after
    each document's last node.

    memory: ``(D, B, ...)``, before the first nodes.
    q, k, v: ``(D, T, B, heads, e)``. log_i, log_f: ``(D, T, B, heads)``.
    present: ``(T, B)`` bool, true where there is a node.
    """
    absent = ~present.unsqueeze(-1)
    log_i, log_f = log_i.masked_fill(absent, LOG_0), log_f.masked_fill(absent, 0.0)
    # (D, B, heads, T, ...)
    parts = [part.movedim(1, 3) for part in (q, k, v, log_i, log_f)]
    results = []
    for chunk in zip(*(torch.split(part, CHUNK, dim=3) for part in parts), strict=True):
        result, memory = _read_and_write_chunk(memory, *chunk)
        results.append(result)
    return torch.cat(results, dim=3).movedim(3, 1), memory


def _read_and_write_chunk(
    memory: Memory, q: Tensor, k: Tensor, v: Tensor, log_i: Tensor, log_f: Tensor
) -> tuple[Tensor, Memory]:
    """q, k, v: ``(D, B, heads, L, e)``. log_i, log_f: ``(D, B, heads, L)``."""
    matrix, normaliser, m0 = memory
    decay = log_f.cumsum(-1)  # of the memory, up to each node
    share = decay.unsqueeze(-1) - decay.unsqueeze(-2) + log_i.unsqueeze(-2)  # (..., reader, writer)
    later = torch.ones(share.shape[-2:], dtype=torch.bool, device=share.device).triu(1)
    share = share.masked_fill(later, LOG_0)
    carried = decay + m0.unsqueeze(-1)
    m = torch.maximum(share.amax(-1), carried).detach()  # (..., L)
    weights = (share - m.unsqueeze(-1)).exp()
    before = (carried - m).exp().unsqueeze(-1)  # (..., L, 1)
    scores = weights * (q @ k.mT)
    found = scores @ v + before * (q @ matrix.mT)
    weight = scores.sum(-1, keepdim=True) + before * (q @ normaliser.unsqueeze(-1))
    written = weights[..., -1, :].unsqueeze(-1) * k  # (..., L, e)
    left = before[..., -1, :]
    after = Memory(
        left.unsqueeze(-1) * matrix + v.mT @ written,
        left * normaliser + written.sum(-2),
        m[..., -1],
    )
    return found / _bounded(weight, m), after
