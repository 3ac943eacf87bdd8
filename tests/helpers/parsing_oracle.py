"""Parsing by joining neighbours, as it is told: lists of trees, every pair scored anew each time.

A tree is a token's number or a pair of trees. The weights are those of the decoder.
"""

import itertools
import math

import torch

from helpers.tree_oracle import EQUATIONS


def span(tree):
    return (tree, tree + 1) if isinstance(tree, int) else (span(tree[0])[0], span(tree[1])[1])


def inner(tree):
    """The joined nodes, children before parents."""
    return [] if isinstance(tree, int) else [*inner(tree[0]), *inner(tree[1]), tree]


def crosses(one, spans):
    """Whether a span has tokens in common with another while neither holds the other."""
    (start, end), found = one, False
    for a, b in spans:
        common = set(range(start, end)) & set(range(a, b))
        found |= bool(common) and len(common) < min(end - start, b - a)
    return found


class Plain:
    """x: ``(n, n_in)``, one document."""

    def __init__(self, decoder, x):
        self.decoder, self.x = decoder, x

    def state(self, tree):
        cell = self.decoder.composition.cell
        equation = EQUATIONS[type(cell).__name__]
        if isinstance(tree, int):
            return equation(cell, self.x[tree], [])
        children = [self.state(child) for child in tree]
        return equation(cell, torch.zeros_like(self.x[0]), children)

    def join_score(self, tree):
        return self.state(tree)[0] @ self.decoder.score.weight[0]

    def tree_score(self, tree):
        return sum(self.join_score(node).item() for node in inner(tree))

    def classes(self, tree):
        nodes = [*self._leaves(tree), *inner(tree)]
        h = torch.stack([self.state(node)[0] for node in nodes])
        best = self.decoder.output(h).argmax(1).tolist()
        return sorted((*span(node), i) for node, i in zip(nodes, best, strict=True))

    def _leaves(self, tree):
        return [tree] if isinstance(tree, int) else [x for t in tree for x in self._leaves(t)]

    def greedy(self, cost=0.0, gold=()):
        """The tree that is built, and what there was to choose from at each step."""
        trees, steps = list(range(len(self.x))), []
        while len(trees) > 1:
            pairs = list(itertools.pairwise(trees))
            scores = [
                self.join_score(p).item() + (cost if crosses(span(p), gold) else 0.0) for p in pairs
            ]
            best = max(range(len(pairs)), key=lambda i: scores[i])
            steps.append((pairs, best))
            trees[best : best + 2] = [pairs[best]]
        return (trees[0] if trees else None), steps

    def normalised_score(self, steps):
        """The log-probability of the joins that were made."""
        total = 0.0
        for pairs, best in steps:
            scores = torch.stack([self.join_score(pair) for pair in pairs])
            total += scores.log_softmax(0)[best].item()
        return total


def all_trees(start, end):
    """Every binary tree over some tokens."""
    if end - start == 1:
        return [start]
    return [
        (left, right)
        for middle in range(start + 1, end)
        for left in all_trees(start, middle)
        for right in all_trees(middle, end)
    ]


def plain_likelihood(plain, gold):
    """``-log`` of the probability of right joins, and the tree that they make."""
    tree, steps = plain.greedy(cost=-math.inf, gold=gold)
    loss = 0.0
    for pairs, _ in steps:
        scores = torch.stack([plain.join_score(pair) for pair in pairs])
        right = torch.tensor([not crosses(span(pair), gold) for pair in pairs])
        loss = loss + scores.logsumexp(0) - scores[right].logsumexp(0)
    return loss, tree


def plain_margin(plain, kappa, gold):
    """The largest violation between a greedy rival and a greedy right tree, and the right one."""
    right, right_steps = plain.greedy(cost=-math.inf, gold=gold)
    _, steps = plain.greedy(cost=kappa, gold=gold)
    largest, sums, wrong = torch.zeros(()), [0.0, 0.0], 0
    for (pairs, best), (right_pairs, right_best) in zip(steps, right_steps, strict=True):
        sums[0] = sums[0] + plain.join_score(pairs[best])
        sums[1] = sums[1] + plain.join_score(right_pairs[right_best])
        wrong += crosses(span(pairs[best]), gold)
        if wrong and sums[0] + kappa * wrong - sums[1] > largest:
            largest = sums[0] + kappa * wrong - sums[1]
    return largest, right


def plain_label_loss(plain, tree, gold):
    """gold: a class by span."""
    loss = 0.0
    for node in [*range(len(plain.x)), *inner(tree)]:
        logits = plain.decoder.output(plain.state(node)[0])
        loss = loss - logits.log_softmax(0)[gold.get(span(node), 0)]
    return loss
