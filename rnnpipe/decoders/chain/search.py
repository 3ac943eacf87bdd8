"""The best, the n best and random label sequences of a chain.

All three first sweep from the last node to the first, so that every label knows what can still
follow, and then walk from the first node on. Documents are left-aligned, so that walk begins at
the same place in each of them, and whatever it does after a document's end is thrown away.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnpipe.decoders.chain.partition import log_partition, messages
from rnnpipe.decoders.chain.potentials import Chain, steps_from


@torch.no_grad()
def viterbi(chain: Chain) -> Tensor:
    """The most probable sequence, ``(B, T)`` int64, 0 at padding (Viterbi 1967)."""
    batch, size, _ = chain.emissions.shape
    if chain.emissions.numel() == 0:
        return torch.zeros(batch, size, dtype=torch.int64, device=chain.emissions.device)
    best = chain.structure.reverse(_best_from(chain))  # (B, T, L)
    rows = torch.arange(batch, device=best.device)
    path = [(chain.start + best[:, 0]).argmax(-1)]
    for t in range(1, size):
        moves = steps_from(chain.transitions, rows, t - 1, path[-1])  # (B, L)
        path.append((moves + best[:, t]).argmax(-1))
    return chain.structure.blank(torch.stack(path, 1), 0)


def _best_from(chain: Chain) -> Tensor:
    """``(B, T, L)``, mirrored: the score of the best sequence from each node and label on."""
    mirror = chain.mirrored
    batch, size, n_labels = chain.emissions.shape
    emitted = mirror.emissions.transpose(0, 1).contiguous()  # (T, B, L)
    best = torch.empty_like(emitted)
    torch.add(emitted[0], mirror.start, out=best[0])
    # Labels to move from come first, as a maximum over the first axis is the fastest.
    moved = emitted.new_empty(n_labels, batch, n_labels)
    for t in range(1, size):
        step = mirror.step(t - 1)
        step = step.transpose(0, 1) if chain.by_step else step.unsqueeze(1)
        torch.add(best[t - 1].T.unsqueeze(2), step, out=moved)
        torch.amax(moved, 0, out=best[t])
        best[t] += emitted[t]
    return best.transpose(0, 1)


@torch.no_grad()
def n_best(chain: Chain, n: int) -> tuple[Tensor, Tensor]:
    """The n most probable sequences, best first (list Viterbi, Seshadri and Sundberg 1994).

    Returns ``(B, n, T)`` int64 paths, 0 at padding, and ``(B, n)`` log-probabilities in nats. Where
    a document has fewer than n possible sequences, the rest have log-probability ``-inf``.
    """
    batch, size, _ = chain.emissions.shape
    lengths = chain.structure.lengths
    empty = torch.full((batch, n), -torch.inf, device=lengths.device, dtype=chain.emissions.dtype)
    empty[:, 0] = 0.0
    if chain.emissions.numel() == 0:
        return torch.zeros(batch, n, size, dtype=torch.int64, device=lengths.device), empty
    exact = chain.double()
    best, following = _n_best_from(exact, n)
    # (B, L n): the n best of every first label
    first = (best[:, 0] + exact.start.unsqueeze(1)).flatten(1)
    scores, chosen = first.topk(n, dim=1)
    path = [chosen]
    for t in range(size - 1):
        path.append(following[:, t].flatten(1).gather(1, path[-1]))
    paths = torch.stack(path, 2) // n  # (B, n, T)
    possible = (scores > -torch.inf) & (lengths > 0).unsqueeze(1)
    keep = possible.unsqueeze(2) & chain.structure.mask.unsqueeze(1)
    log_probabilities = (scores - log_partition(exact).unsqueeze(1)).to(empty.dtype)
    log_probabilities = log_probabilities.masked_fill(~possible, -torch.inf)
    log_probabilities = torch.where((lengths > 0).unsqueeze(1), log_probabilities, empty)
    return paths.masked_fill(~keep, 0), log_probabilities


def _n_best_from(chain: Chain, n: int) -> tuple[Tensor, Tensor]:
    """``(B, T, L, n)``: the scores of the n best sequences from each node and label on, and, for
    each, ``label * n + rank`` of its continuation at the next node."""
    mirror = chain.mirrored
    batch, size, n_labels = chain.emissions.shape
    ranks = torch.full((batch, n_labels, n), -torch.inf, dtype=chain.emissions.dtype)
    best = [ranks.to(chain.emissions.device)]
    best[0][:, :, 0] = mirror.emissions[:, 0] + mirror.start
    following = [torch.zeros_like(best[0], dtype=torch.int64)]
    for t in range(1, size):
        step = mirror.step(t - 1).transpose(-1, -2)  # from the label at this node to the next one
        # (B, L, L, n) -> (B, L, L n)
        moved = best[-1].unsqueeze(1) + step.unsqueeze(-1)
        scores, chosen = moved.flatten(2).topk(n, dim=-1)
        best.append(scores + mirror.emissions[:, t].unsqueeze(-1))
        following.append(chosen)
    scores, chosen = torch.stack(best, 1), torch.stack(following, 1)
    reverse = chain.structure.reverse
    shape = (batch, size, n_labels, n)
    return reverse(scores.flatten(2)).view(shape), reverse(chosen.flatten(2)).view(shape)


@torch.no_grad()
def sample(chain: Chain, n: int, generator: torch.Generator | None = None) -> Tensor:
    """n independent sequences of each document, drawn exactly from the distribution by backward
    sums and forward sampling. ``(B, n, T)`` int64, 0 at padding."""
    batch, size, n_labels = chain.emissions.shape
    device = chain.emissions.device
    if chain.emissions.numel() == 0:
        return torch.zeros(batch, n, size, dtype=torch.int64, device=device)
    sums = messages(chain)
    transitions, backward = sums.chain.transitions, sums.backward
    rows = torch.arange(batch, device=device).unsqueeze(1)
    path: list[Tensor] = []
    for t in range(size):
        scores = steps_from(transitions, rows, t - 1, path[-1]) if t else sums.chain.start
        scores = scores + backward[:, t].unsqueeze(1)  # (B, n, L), up to a factor
        uniform = torch.rand(
            (batch, n, n_labels), generator=generator, device=device, dtype=backward.dtype
        )
        # The largest of scores with Gumbel noise is a draw from their softmax (Gumbel 1954).
        path.append((scores - (-uniform.log()).log()).argmax(-1))
    keep = chain.structure.mask.unsqueeze(1)
    return torch.stack(path, 2).masked_fill(~keep, 0)
