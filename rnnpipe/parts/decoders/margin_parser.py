"""``rnnpipe.MarginParser.v1``: correct trees outscore wrong ones by a margin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from rnnpipe.contracts.registry import decoders
from rnnpipe.contracts.types import (
    EncoderBuilder,
    Gold,
    Labels,
    PositiveFloat,
    PositiveInt,
)
from rnnpipe.parts.decoders.parsing.brackets import Brackets
from rnnpipe.parts.decoders.parsing.parser import TreeParser, gold_rows, on_host
from rnnpipe.parts.decoders.parsing.plans import BinaryTrees
from rnnpipe.parts.decoders.parsing.search import Found, Penalty, search
from rnnpipe.structures import Encoded


@decoders("rnnpipe.MarginParser.v1")
@dataclass(frozen=True)
class MarginParser:
    """Binary trees built by joining neighbours, trained with a maximum margin (Socher et al. 2011):
    see :class:`MarginTreeParser`.

    composition: a recursive encoder, such as ``rnnpipe.RecursiveNet.v1``.
    kappa: margin per wrong constituent.
    beam_size: number of partial trees kept, in training and prediction; 1 is greedy.
    """

    composition: EncoderBuilder
    kappa: PositiveFloat = 0.1
    beam_size: PositiveInt = 1

    def __call__(self, n_in: int, labels: Labels) -> MarginTreeParser:
        return MarginTreeParser(n_in, labels, self)


@dataclass(frozen=True)
class Rivals:
    """For each of B documents, K trees found by the search, good or wrong, and then a correct one.

    trees, documents: all B * (K + 1) of them, and whose they are.
    joins: ``(B, K + 1, T - 1)`` where in its tree each join stands; -1 after the last.
    wrong: ``(B, K, T - 1)`` how many of the joins so far cross a gold constituent.
    classes: ``(B, N)`` of the nodes of the right trees; -1 at padding.
    """

    trees: BinaryTrees
    documents: np.ndarray
    joins: Tensor
    wrong: Tensor
    classes: Tensor


class MarginTreeParser(TreeParser[Rivals]):
    """A parser with ``s(y)`` the sum of the scores of a tree's joins and ``D(y)`` the number of
    them that cross a gold constituent. With y* the best correct tree, the loss of a document is::

        max(0, max_y [s(y) + kappa D(y) - s(y*)])

    where y is searched for with the margin added to its scores. Partial trees y and y* with the
    same number of joins are compared too, once y has a wrong one, since a search with few
    hypotheses errs there (Huang et al. 2012, Structured Perceptron with Inexact Search: the largest
    violation). The cross entropy of the classes of y*'s nodes is added.
    """

    def __init__(self, n_in: int, labels: Labels, settings: MarginParser) -> None:
        super().__init__(n_in, labels, settings.composition, settings.beam_size)
        self.kappa = settings.kappa

    def best(self, x: Encoded) -> Found:
        return search(self.leaves_of(x), x.lengths, self.compose, self.beam_size)

    def choose(self, x: Encoded, lengths: Tensor, gold: Gold) -> Rivals:
        """Search once for both: first the rows of rivals, then those that must not cross."""
        n, device = len(gold), gold.device
        brackets = Brackets.of(gold[..., :2], x.states.shape[1])
        cost = torch.tensor([self.kappa, -torch.inf], device=device).repeat_interleave(n)
        leaves, rows = self.leaves_of(x).repeat(2, 1, 1), torch.arange(n, device=device)
        penalty = Penalty(brackets.repeat(2), cost)
        found = search(leaves, lengths.repeat(2), self.compose, self.beam_size, penalty=penalty)
        joins = torch.cat([found.joins[:n], found.joins[n:, :1]], dim=1)  # (B, K + 1, T - 1, 3)
        start, _, end = joins[:, :-1].clamp(min=0).unbind(3)  # (B, K, T - 1) each
        wrong = brackets.crossed(rows.view(-1, 1, 1), start, end) & (joins[:, :-1, :, 0] >= 0)
        wrong = wrong & (found.scores[:n] != -torch.inf).unsqueeze(2)
        return self._rivals(on_host(joins), on_host(lengths), gold, wrong.cumsum(2))

    def _rivals(
        self, joins: np.ndarray, lengths: np.ndarray, gold: Tensor, wrong: Tensor
    ) -> Rivals:
        n_docs, n_trees = joins.shape[:2]
        documents = np.repeat(np.arange(n_docs), n_trees)
        flat = joins.reshape(len(documents), *joins.shape[2:])
        trees = BinaryTrees.of(flat, lengths[documents])
        places = trees.joins.reshape(joins.shape[:3])
        rows, spans = gold_rows(gold)
        classes = trees.classes(rows * n_trees + n_trees - 1, spans)[n_trees - 1 :: n_trees]
        on_device = [torch.from_numpy(a).to(wrong.device) for a in (places, classes)]
        return Rivals(trees, documents, on_device[0], wrong, on_device[1])

    def loss_of(self, x: Encoded, plan: Rivals) -> Tensor:
        states = self.states_of(x, plan.trees, plan.documents)  # (B * (K + 1), N, S)
        shape = plan.joins.shape
        scores = F.pad(self.scores_of(states), (0, 1))  # no join: 0
        places = plan.joins.masked_fill(plan.joins < 0, states.shape[1]).flatten(0, 1)
        sums = scores.gather(1, places).view(shape).cumsum(2)  # (B, K + 1, T - 1)
        violation = sums[:, :-1] + self.kappa * plan.wrong - sums[:, -1:]
        violation = violation.masked_fill(plan.wrong == 0, 0.0).flatten(1)
        margin = F.pad(violation, (0, 1)).amax(1)  # T may be 1; never below 0
        right = states.view(*shape[:2], *states.shape[1:])[:, -1]
        return margin.sum() + self.label_loss(right, plan.classes)
