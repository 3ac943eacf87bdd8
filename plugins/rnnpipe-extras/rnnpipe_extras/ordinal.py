"""``extras.Ordinal.v1``: labels that are steps of a scale, such as ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.api import (
    DecoderBuilder,
    Encoded,
    Gold,
    Labels,
    Prediction,
    SettingsError,
    decoders,
    expected,
    in_full_precision,
)


@decoders("extras.Ordinal.v1")
def Ordinal(order: list[str] | None = None) -> DecoderBuilder:
    """Ordinal regression of documents by proportional odds (McCullagh 1980, Regression Models for
    Ordinal Data): a document has a place on a line, and labels are the stretches between cut
    points. ``P(label >= k) = sigmoid(w . x - c_k)``, ``c_1 < c_2 < ...``. So a rating that is off
    by one costs less than one that is off by four.

    order: all labels, from the lowest up. By default, numbers by size and names by the alphabet.
    """
    return partial(OrdinalDecoder, order=order)


class OrdinalDecoder(nn.Module):
    """Labels of pooled documents ``(B, n_in)``. Raises SettingsError if ``order`` does not name
    each label once."""

    labels_nodes = False
    labels_documents = True
    exclusive = True
    label_axes: Mapping[str, tuple[int, ...]] = {"gap": (0,)}
    ranked: Tensor
    rank: Tensor

    def __init__(self, n_in: int, labels: Labels, order: Sequence[str] | None = None) -> None:
        super().__init__()
        ranked = torch.tensor(_ranked(labels.names, order))
        self.register_buffer("ranked", ranked, persistent=False)  # (L,) the label of each rank
        self.register_buffer("rank", ranked.argsort(), persistent=False)  # (L,) of each label
        self.place = nn.Linear(n_in, 1, bias=False)
        self.first_cut = nn.Parameter(torch.tensor(-1.0))
        #: By label: how far the cut below it is from the one before, through softplus.
        self.gap = nn.Parameter(torch.zeros(len(labels)))

    def _log_probabilities(self, x: Tensor) -> Tensor:
        """``(B, L)`` in nats, by label.

        With a and b the distances to the cuts below and above,
        ``log(sigmoid(a) - sigmoid(b)) = log sigmoid(a) + log sigmoid(-b) + log(1 - exp(b - a))``,
        and ``a - b`` is the gap."""
        gaps = F.softplus(self.gap.index_select(0, self.ranked)[2:])  # (L - 2,)
        n_cuts = len(self.ranked) - 1
        cuts = self.first_cut + F.pad(gaps.cumsum(0), (1, 0))[:n_cuts]  # (L - 1,)
        above = in_full_precision(self.place(x)) - cuts  # (B, L - 1)
        inside = F.pad((-(-gaps).expm1()).log(), (1, 1))[: len(self.ranked)]
        by_rank = F.pad(F.logsigmoid(above), (1, 0)) + F.pad(F.logsigmoid(-above), (0, 1)) + inside
        return by_rank.index_select(1, self.rank)

    def loss(self, x: Encoded | Tensor, gold: Gold) -> Tensor:
        """The summed surprisal of the gold labels, ``(B,)`` int64, -1 where missing."""
        return F.nll_loss(
            self._log_probabilities(cast(Tensor, x)), gold, ignore_index=-1, reduction="sum"
        )

    def predict(self, x: Encoded | Tensor) -> Prediction:
        """The most probable label of each document, and the probability of each label."""
        with torch.no_grad():
            probabilities = self._log_probabilities(cast(Tensor, x)).exp()
        return Prediction(probabilities.argmax(-1), probabilities)


def _ranked(names: Sequence[str], order: Sequence[str] | None) -> list[int]:
    """The numbers of the labels from the lowest up."""
    if order is None:
        return sorted(range(len(names)), key=lambda i: (_number(names[i]), names[i]))
    if sorted(order) != sorted(names):
        want = f"all labels of the data in their order ({', '.join(names)})"
        raise SettingsError(expected("order", want, list(order), "Name each of them once."))
    return [names.index(name) for name in order]


def _number(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return float("inf")
