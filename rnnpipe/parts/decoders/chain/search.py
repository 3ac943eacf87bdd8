"""The best, the n best and random label sequences of a chain.

All three first go from the last node to the first, so that every label knows what can still follow,
and then choose labels from the first node on.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnpipe.parts.decoders.chain.compiled import compiled_viterbi, viterbi_compiles
from rnnpipe.parts.decoders.chain.partition import log_partition, messages
from rnnpipe.parts.decoders.chain.potentials import Chain, ClosedChain


@torch.no_grad()
def viterbi(chain: Chain) -> Tensor:
    """Return the most probable sequence, ``(B, T)`` int64, 0 at padding (Viterbi 1967)."""
    if viterbi_compiles(chain):
        return compiled_viterbi(chain)
    closed = chain.close()
    best = _best_from(closed)
    rows = torch.arange(best.shape[1], device=best.device)
    path = [(closed.start + best[0]).argmax(-1)]
    for t in range(1, len(best)):
        path.append((closed.steps_from(t - 1, rows, path[-1]) + best[t]).argmax(-1))
    return chain.structure.blank(torch.stack(path, 1)[:, :-1], 0)


def _best_from(closed: ClosedChain) -> Tensor:
    """``(T + 1, B, L + 1)``: the score of the best sequence from each node and label on."""
    size, batch, n_labels = closed.emissions.shape
    # (..., L + 1 to, B or 1, L + 1 from): a maximum over the first axis is by far the fastest.
    steps = closed.transitions if closed.by_step else closed.transitions.expand(1, 1, -1, -1)
    steps = steps.permute(0, 3, 1, 2).contiguous().expand(size - 1, -1, -1, -1)
    moved = closed.emissions.new_empty(n_labels, batch, n_labels)
    reached = closed.emissions.new_empty(batch, n_labels)
    best = closed.emissions.clone()
    nodes, moves = best.unbind(0), steps.unbind(0)
    for t in range(size - 2, -1, -1):
        torch.add(nodes[t + 1].T.unsqueeze(2), moves[t], out=moved)
        torch.amax(moved, 0, out=reached)
        nodes[t].add_(reached)
    return best


@torch.no_grad()
def n_best(chain: Chain, n: int) -> tuple[Tensor, Tensor]:
    """Return the n most probable sequences, best first (list Viterbi, Seshadri and Sundberg 1994).

    Returns ``(B, n, T)`` int64 paths, 0 at padding, and ``(B, n)`` log-probabilities in nats. Where
    a document has fewer than n possible sequences, the rest have log-probability ``-inf``.
    """
    exact = chain.double()
    closed = exact.close()
    best, following = _n_best_from(closed, n)
    scores, chosen = (best[0] + closed.start.unsqueeze(1)).flatten(1).topk(n, dim=1)
    path = [chosen]  # (B, n) each: label * n + rank
    for t in range(len(best) - 1):
        path.append(following[t].flatten(1).gather(1, path[-1]))
    paths = torch.stack(path, 2)[:, :, :-1] // n  # (B, n, T)
    possible = scores > -torch.inf
    keep = possible.unsqueeze(2) & chain.structure.mask.unsqueeze(1)
    log_probabilities = scores - log_partition(exact).unsqueeze(1)
    log_probabilities = log_probabilities.masked_fill(~possible, -torch.inf)
    return paths.masked_fill(~keep, 0), log_probabilities.to(chain.emissions.dtype)


def _n_best_from(closed: ClosedChain, n: int) -> tuple[Tensor, Tensor]:
    """``(T + 1, B, L + 1, n)``: the scores of the n best sequences from each node and label on, and
    for each ``label * n + rank`` of how it goes on at the next node."""
    emissions = closed.emissions
    last = emissions.new_full((*emissions.shape[1:], n), -torch.inf)
    last[:, :, 0] = emissions[-1]
    best, following = [last], [torch.zeros_like(last, dtype=torch.int64)]
    for t in range(len(emissions) - 2, -1, -1):
        # (B, L + 1 from, L + 1 to, n)
        moved = best[-1].unsqueeze(1) + closed.step(t).unsqueeze(-1)
        scores, chosen = moved.flatten(2).topk(n, dim=-1)
        best.append(scores + emissions[t].unsqueeze(-1))
        following.append(chosen)
    return torch.stack(best[::-1]), torch.stack(following[::-1])


@torch.no_grad()
def sample(chain: Chain, n: int, generator: torch.Generator | None = None) -> Tensor:
    """N independent sequences of each document, drawn exactly from the distribution: sums backward,
    draws forward. ``(B, n, T)`` int64, 0 at padding."""
    sums = messages(chain)
    size, batch, n_labels = sums.backward.shape
    device, dtype = sums.backward.device, sums.backward.dtype
    rows = torch.arange(batch, device=device).unsqueeze(1)
    path: list[Tensor] = []
    for t in range(size):
        moves = sums.closed.steps_from(t - 1, rows, path[-1]) if path else sums.closed.start
        scores = moves + sums.backward[t].unsqueeze(1)  # (B, n, L + 1), up to a factor
        shape = (batch, n, n_labels)
        uniform = torch.rand(shape, generator=generator, device=device, dtype=dtype)
        # The largest of scores with Gumbel noise is a draw from their softmax (Gumbel 1954).
        path.append((scores - (-uniform.log()).log()).argmax(-1))
    keep = chain.structure.mask.unsqueeze(1)
    return torch.stack(path, 2)[:, :, :-1].masked_fill(~keep, 0)
