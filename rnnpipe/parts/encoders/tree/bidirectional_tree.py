"""``rnnpipe.BiChildSumTreeLSTM.v1``: from the leaves of a tree to its root, and down again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import encoders
from rnnpipe.contracts.types import PositiveInt
from rnnpipe.parts.encoders.tree.tree import TreeEncoder
from rnnpipe.parts.encoders.tree.tree_cells import ChildSumLSTMCell, NaryLSTMCell
from rnnpipe.structures import Encoded, State, Step, Trees


@encoders("rnnpipe.BiChildSumTreeLSTM.v1")
@dataclass(frozen=True)
class BiChildSumTreeLSTM:
    """A child-sum Tree-LSTM upwards, and an LSTM from the root down every path to the leaves, which
    reads the upward states: see :class:`BiTreeEncoder`.

    width: of h and of c in each direction; the output is twice as wide.
    forget_bias: of the forget gates, at first.
    """

    width: PositiveInt
    forget_bias: float = 1.0

    def __call__(self, n_in: int) -> BiTreeEncoder:
        return BiTreeEncoder(n_in, self)


class BiTreeEncoder(nn.Module):
    """What a node is made of, and what it is part of (as in Miwa and Bansal 2016, End-to-End
    Relation Extraction using LSTMs on Sequences and Tree Structures; that the way down reads the
    states of the way up is of Teng and Zhang 2017, Head-Lexicalized Bidirectional Tree LSTMs)::

        up_j = ChildSum(x_j, up of j's children)         (Tai et al. 2015)
        down_j = LSTM(up_j, down of j's parent)          (the root's parent is zero)
        states[j] = [up_j; down_j]

    So every state depends on all nodes of its tree. All nodes of one depth are computed at once,
    over all trees: the way up from the deepest, the way down from the roots.
    """

    structure: type = Trees
    causal = False

    def __init__(self, n_in: int, settings: BiChildSumTreeLSTM) -> None:
        super().__init__()
        width = settings.width
        self.up = TreeEncoder(n_in, partial(ChildSumLSTMCell, **vars(settings)))
        # Seen from above, a node has one neighbour: what a unary Tree-LSTM calls its child.
        self.down = NaryLSTMCell(width, arity=1, **vars(settings))
        self.n_out = 2 * width

    def forward(self, inputs: Tensor, structure: Trees, state: State | None = None) -> Encoded:
        """``(B, T, n_in)`` to states ``(B, T, 2 * width)``. state: none is carried, ``None``."""
        up = self.up.node_states(structure.gather(inputs), structure).narrow(1, 0, self.up.n_out)
        both = torch.cat([up, self._from_roots(up, structure)], dim=1)  # (N, 2 * width)
        return Encoded(structure.scatter(both), structure, self.n_out)

    def _from_roots(self, up: Tensor, structure: Trees) -> Tensor:
        """H of the way down, in the order of computation. ``(N, width) -> (N, width)``."""
        steps = structure.steps
        x = self.down.project(up)  # (N, 4 * width)
        x_leaves, *x_inner = torch.split(x, [structure.n_leaves, *(step.n_nodes for step in steps)])
        n_roots = structure.n_leaves - sum(step.n_leaves for step in steps)
        *x_below, x_roots = torch.split(x_leaves, [*(step.n_leaves for step in steps), n_roots])
        leaves = [self.down.leaf(x_roots)]
        inner = [self.down.leaf(x_inner[-1] if steps else x[:0])]
        for i, step in reversed(list(enumerate(steps))):
            x_step = torch.cat([x_inner[i - 1] if i else x[:0], x_below[i]])
            below = self.down.merge(x_step, inner[-1], _from_above(step))
            n_inner = len(step.parents) - step.n_leaves
            inner.append(below[:n_inner])
            leaves.append(below[n_inner:])
        states = torch.cat([*reversed(leaves), *reversed(inner)])
        return states.narrow(1, 0, self.down.width)


def _from_above(step: Step) -> Step:
    """Return a step the other way: the nodes are the level below, and each has one child, its
    parent."""
    return Step(len(step.parents), 0, step.parents, step.parents.unsqueeze(1))
