"""``rnnpipe.LikelihoodParser.v1``: the probability of joining what belongs together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from rnnpipe.contracts.registry import decoders
from rnnpipe.contracts.types import DecoderBuilder, EncoderBuilder, Gold, PositiveInt
from rnnpipe.parts.decoders.parsing.brackets import Brackets
from rnnpipe.parts.decoders.parsing.parser import TreeParser, gold_rows, on_host
from rnnpipe.parts.decoders.parsing.plans import BinaryTrees, Choices
from rnnpipe.parts.decoders.parsing.search import Found, Penalty, search
from rnnpipe.structures import Encoded


@decoders("rnnpipe.LikelihoodParser.v1")
def LikelihoodParser(composition: EncoderBuilder, beam_size: PositiveInt = 1) -> DecoderBuilder:
    """Binary trees built by joining neighbours, trained by maximum likelihood: see
    :class:`LikelihoodTreeParser`.

    composition: a recursive encoder, such as ``rnnpipe.RecursiveNet.v1``.
    beam_size: number of partial trees kept in prediction; 1 is greedy.
    """
    return partial(LikelihoodTreeParser, composition=composition, beam_size=beam_size)


@dataclass(frozen=True)
class Lesson:
    """A correct tree per document, and the possible pairs at each of its joins.

    trees: one per document.
    left, right: ``(P,)`` the nodes that make a pair, by their position in the flattened nodes.
    table: ``(A, T - 1)`` the pairs that were possible before each of A joins; P for none.
    wrong: ``(P + 1,)`` whether a pair crosses a gold constituent; the last is true.
    classes: ``(B, N)`` of the nodes; -1 at padding.
    """

    trees: BinaryTrees
    left: Tensor
    right: Tensor
    table: Tensor
    wrong: Tensor
    classes: Tensor


class LikelihoodTreeParser(TreeParser[Lesson]):
    """A parser in which each join is a choice among all pairs of neighbours at that time::

        P(join) = softmax over pairs of score(pair)
        P(tree) = product over its joins

    The loss is ``-log`` of the probability that each join is a right one, summed over the pairs
    that cross no gold constituent, while the best of these is joined (easiest first, as in Goldberg
    and Elhadad 2010, An Efficient Algorithm for Easy-First Non-Directional Dependency Parsing). The
    cross entropy of the classes of the tree's nodes is added. Memory grows with the square of a
    document's length.
    """

    def best(self, x: Encoded) -> Found:
        leaves = self.leaves_of(x)
        return search(leaves, x.lengths, self.compose, self.beam_size, normalised=True)

    def choose(self, x: Encoded, lengths: Tensor, gold: Gold) -> Lesson:
        device = gold.device
        brackets = Brackets.of(gold[..., :2], x.states.shape[1])
        cost = torch.full(lengths.shape, -torch.inf, device=device)
        penalty = Penalty(brackets, cost)
        found = search(self.leaves_of(x), lengths, self.compose, 1, penalty=penalty)
        joins, n_tokens = on_host(found.joins[:, 0]), on_host(lengths)
        trees, choices = BinaryTrees.of(joins, n_tokens), Choices.of(joins, n_tokens)
        start, _, end = choices.spans.T
        parts = [trees.position(choices.rows, choices.spans[:, i : i + 2]) for i in (0, 1)]
        classes = trees.classes(*gold_rows(gold))
        arrays = [choices.rows, start, end, *parts, choices.table, classes]
        row, first, last, *lesson = (torch.from_numpy(a).to(device) for a in arrays)
        left, right, table, known = lesson
        wrong = F.pad(brackets.crossed(row, first, last), (0, 1), value=True)
        return Lesson(trees, left, right, table, wrong, known)

    def loss_of(self, x: Encoded, plan: Lesson) -> Tensor:
        states = self.states_of(x, plan.trees, np.arange(len(plan.trees.sizes)))  # (B, N, S)
        nodes = states.flatten(0, 1)
        parts = nodes.index_select(0, plan.left), nodes.index_select(0, plan.right)
        _, scores = self.compose(*parts)
        scores = F.pad(scores, (0, 1), value=-torch.inf)  # (P + 1,)
        right = scores.masked_fill(plan.wrong, -torch.inf)
        of_all, of_right = (s[plan.table].logsumexp(1) for s in (scores, right))  # (A,)
        return (of_all - of_right).sum() + self.label_loss(states, plan.classes)
