"""``rnnpipe.AdaptiveSoftmax.v1``: rare symbols cost less, for large vocabularies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.contracts.registry import outputs
from rnnpipe.contracts.types import PositiveInt
from rnnpipe.errors import SettingsError, expected


@outputs("rnnpipe.AdaptiveSoftmax.v1")
@dataclass(frozen=True)
class AdaptiveSoftmax:
    """A softmax over the most frequent symbols and one class for each cluster of rarer ones, and
    within a cluster a softmax of its own (Grave et al. 2017, Efficient Softmax Approximation for
    GPUs)::

        log p(w) = log p(w | head)                                    w is frequent
        log p(w) = log p(cluster | head) + log p(w | cluster)         otherwise

    cutoffs: numbers of the symbols with which clusters begin, in growing order: ``[2000, 10000]``
        for the 2,000 most frequent, the next 8,000, and the rest.
    reduction: the states are projected to 1/reduction of their width for the first cluster, to
        1/reduction**2 for the second, and so on; at least to 1.

    Raises SettingsError: cutoffs that do not grow, or that are not below the number of symbols.
    """

    cutoffs: list[PositiveInt]
    reduction: PositiveInt = 4

    def __post_init__(self) -> None:
        if not self.cutoffs or sorted(set(self.cutoffs)) != self.cutoffs:
            want, do = "numbers of symbols in increasing order", "Set it to [2000, 10000]."
            raise SettingsError(expected("cutoffs", want, self.cutoffs, do))

    def __call__(self, n_in: int, embedding: Tensor) -> AdaptiveOutput:
        return AdaptiveOutput(n_in, embedding, self)


class AdaptiveOutput(nn.Module):
    """n_in: width of the states. embedding: ``(V, D)``, of which only V matters."""

    def __init__(self, n_in: int, embedding: Tensor, settings: AdaptiveSoftmax) -> None:
        super().__init__()
        n_symbols, cutoffs = embedding.shape[0], settings.cutoffs
        if cutoffs[-1] >= n_symbols:
            do = "Lower the cutoffs, or use rnnpipe.FullSoftmax.v1."
            want = f"numbers below the number of symbols ({n_symbols})"
            raise SettingsError(expected("cutoffs", want, cutoffs, do))
        self.edges = (0, *cutoffs, n_symbols)
        self.head = nn.Linear(n_in, cutoffs[0] + len(cutoffs))
        sizes = np.diff(self.edges[1:]).tolist()
        self.tails = nn.ModuleList(
            nn.Sequential(
                nn.Linear(n_in, width, bias=False),
                nn.Linear(width, size),
            )
            for rank, size in enumerate(sizes, start=1)
            for width in [max(1, n_in // settings.reduction**rank)]
        )

    def score(self, x: Tensor, targets: np.ndarray) -> Tensor:
        cluster = np.searchsorted(self.edges, targets, side="right") - 1  # 0: in the head
        in_head = np.where(cluster == 0, targets, self.edges[1] + cluster - 1)
        total = _log_likelihood(self.head(x), in_head)
        for number, tail in enumerate(self.tails, start=1):
            rows = np.flatnonzero(cluster == number)
            if len(rows):
                index = torch.from_numpy(rows).to(x.device)
                within = targets[rows] - self.edges[number]
                added = _log_likelihood(tail(x.index_select(0, index)), within)
                total = total.index_add(0, index, added)
        return total

    def log_probabilities(self, x: Tensor) -> Tensor:
        head = self.head(x).float().log_softmax(-1)
        frequent, clusters = head.split([self.edges[1], len(self.tails)], dim=-1)
        parts = [frequent]
        for tail, cluster in zip(self.tails, clusters.unbind(-1), strict=True):
            parts.append(tail(x).float().log_softmax(-1) + cluster.unsqueeze(-1))
        return torch.cat(parts, dim=-1)  # (N, V)


def _log_likelihood(logits: Tensor, targets: np.ndarray) -> Tensor:
    gold = torch.from_numpy(targets).to(logits.device)
    return -F.cross_entropy(logits.float(), gold, reduction="none")
