"""Tree-LSTMs by level over the whole batch, against the plain recursion node by node.

    python benchmarks/trees.py [--rounds 5] [--trees 64] [--leaves 20] [--width 100] [--peer]

recursion: the equations as a function of a node that calls itself, in torch, tree after tree.
peer: pytorch-tree-lstm 0.1.3 (``--peer``), which has the child-sum kind; it too runs by levels, a
    leaf's at once and an inner node's after its children's.
levels: our encoder. The plan of the levels is included in both.

Both are given the same random binary trees and inputs, and go forward and backward; they are
measured in turn, on one thread, in processor time.
"""

from __future__ import annotations

import random

import numpy as np
import torch
from interleaved import race
from options import has_peer, parser_for
from torch import Tensor, nn

from rnnpipe.parts.encoders.tree.tree import ChildSumTreeLSTM, NaryTreeLSTM
from rnnpipe.structures import Trees

BUILDERS = {"binary": NaryTreeLSTM, "child-sum": ChildSumTreeLSTM}


def binary_tree(n_leaves: int, rng: random.Random) -> list[int]:
    """The parents of the nodes of a random binary tree, in post-order."""
    parents: list[int] = []

    def grow(n: int) -> int:
        children = []
        if n > 1:
            left = rng.randint(1, n - 1)
            children = [grow(left), grow(n - left)]
        parents.append(-1)
        for child in children:
            parents[child] = len(parents) - 1
        return len(parents) - 1

    grow(n_leaves)
    return parents


class Levels:
    def __init__(self, encoder: nn.Module, inputs: Tensor, parents: list[list[int]]) -> None:
        self.encoder, self.inputs, self.parents = encoder, inputs, parents

    def train(self) -> None:
        self.encoder.zero_grad()
        self.states().square().sum().backward()

    def states(self) -> Tensor:
        states: Tensor = self.encoder(self.inputs, Trees.from_parents(self.parents)).states
        return states


class Recursion(Levels):
    """The same weights, one node at a time."""

    def states(self) -> Tensor:
        return torch.stack(
            [self.tree(x, p) for x, p in zip(self.inputs, self.parents, strict=True)]
        )

    def tree(self, x: Tensor, parents: list[int]) -> Tensor:
        children: list[list[int]] = [[] for _ in parents]
        for node, parent in enumerate(parents[:-1]):
            children[parent].append(node)
        states: list[Tensor] = [x] * len(parents)

        def visit(node: int) -> tuple[Tensor, Tensor]:
            below = [visit(child) for child in children[node]]
            h, c = self.node(x[node : node + 1], below)
            states[node] = h
            return h, c

        visit(len(parents) - 1)
        return torch.cat(states)

    def node(self, x: Tensor, below: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        cell, width = self.encoder.cell, self.encoder.n_out
        iuo, x_f = cell.project(x).split([3 * width, width], dim=1)
        kept = x.new_zeros(1, width)
        if below:
            h = torch.cat([h for h, _ in below])  # (children, H)
            c = torch.cat([c for _, c in below])
            if cell.arity is None:
                iuo = iuo + h.sum(0, keepdim=True) @ cell.recurrent
                f = x_f + h @ cell.forget
            else:
                sums, f = (h.view(1, -1) @ cell.recurrent).split([3 * width, 2 * width], dim=1)
                iuo, f = iuo + sums, x_f + f.view(2, width)
            kept = (f.sigmoid() * c).sum(0, keepdim=True)
        i, u, o = iuo.chunk(3, dim=1)
        c = i.sigmoid() * u.tanh() + kept
        return o.sigmoid() * c.tanh(), c


class Peer(Levels):
    """As its page says: orders for each tree, then one batch of all."""

    def __init__(self, encoder: nn.Module, inputs: Tensor, parents: list[list[int]]) -> None:
        from treelstm import TreeLSTM

        super().__init__(TreeLSTM(inputs.shape[2], encoder.n_out), inputs, parents)

    def states(self) -> Tensor:
        from treelstm import batch_tree_input, calculate_evaluation_orders

        batch = []
        for x, parents in zip(self.inputs, self.parents, strict=True):
            pairs = np.array([(p, i) for i, p in enumerate(parents) if p >= 0])
            orders = calculate_evaluation_orders(pairs, len(parents))
            names = ("node_order", "edge_order", "adjacency_list")
            tensors = map(torch.from_numpy, (*orders, pairs))
            batch.append({"features": x, **dict(zip(names, tensors, strict=True))})
        joined = batch_tree_input(batch)
        del joined["tree_sizes"]
        states: Tensor = self.encoder(**joined)[0]
        return states


def main() -> None:
    parser = parser_for(__doc__, rounds=5, trees=64, leaves=20, width=100)
    parser.add_argument("--peer", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = random.Random(0)
    parents = [binary_tree(arguments.leaves, rng) for _ in range(arguments.trees)]
    inputs = torch.randn(len(parents), 2 * arguments.leaves - 1, arguments.width)
    for name, build in BUILDERS.items():
        encoder = build(width=arguments.width)(arguments.width)
        contestants = {"recursion": Recursion, "levels": Levels}
        made = {who: make(encoder, inputs, parents) for who, make in contestants.items()}
        torch.testing.assert_close(made["levels"].states(), made["recursion"].states())
        print(name)
        race(made, ["train"], arguments.rounds, len(parents), "trees")
    if arguments.peer and has_peer("pytorch-tree-lstm", "treelstm"):
        made = {"peer": Peer(encoder, inputs, parents), "levels": made["levels"]}
        race(made, ["train"], arguments.rounds, len(parents), "trees")


if __name__ == "__main__":
    main()
