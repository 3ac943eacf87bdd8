"""Encoders over trees: a node's state is made of its children's states and of its own input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, TypeAlias

import torch
from pydantic import Field
from torch import Tensor, nn

from rnnpipe.contracts.registry import encoders
from rnnpipe.contracts.types import PositiveInt
from rnnpipe.errors import StructureError
from rnnpipe.parts.encoders.tree.tree_cells import (
    ChildSumGRUCell,
    ChildSumLSTMCell,
    NaryLSTMCell,
    RecursiveCell,
    TensorCell,
    TreeCell,
)
from rnnpipe.structures import Encoded, State, Step, Trees

#: The most children of a node, where each child has weights of its own.
Arity: TypeAlias = Annotated[int, Field(ge=1, le=16, strict=True)]


class TreeSettings:
    """Settings of a cell."""

    cell: ClassVar[Callable[..., TreeCell]]

    def __call__(self, n_in: int) -> TreeEncoder:
        return TreeEncoder(n_in, partial(type(self).cell, **vars(self)))


@encoders("rnnpipe.RecursiveNet.v1")
@dataclass(frozen=True)
class RecursiveNet(TreeSettings):
    """The recursive net: see :class:`~rnnpipe.parts.encoders.tree.tree_cells.RecursiveCell`.

    width: of a state.
    arity: the most children a node may have; fewer count as zeros.
    """

    width: PositiveInt
    arity: Arity = 2
    cell = RecursiveCell


@encoders("rnnpipe.RNTN.v1")
@dataclass(frozen=True)
class RNTN(TreeSettings):
    """The recursive neural tensor network: see
    :class:`~rnnpipe.parts.encoders.tree.tree_cells.TensorCell`.

    width: of a state; the tensor has ``arity ** 2 * width ** 3`` weights.
    arity: the most children a node may have; fewer count as zeros.
    """

    width: PositiveInt
    arity: Arity = 2
    cell = TensorCell


@encoders("rnnpipe.NaryTreeLSTM.v1")
@dataclass(frozen=True)
class NaryTreeLSTM(TreeSettings):
    """The N-ary Tree-LSTM: see :class:`~rnnpipe.parts.encoders.tree.tree_cells.NaryLSTMCell`.

    width: of h and of c.
    arity: the most children a node may have; fewer count as zeros.
    forget_bias: of the forget gates, at first.
    """

    width: PositiveInt
    arity: Arity = 2
    forget_bias: float = 1.0
    cell = NaryLSTMCell


@encoders("rnnpipe.ChildSumTreeLSTM.v1")
@dataclass(frozen=True)
class ChildSumTreeLSTM(TreeSettings):
    """The child-sum Tree-LSTM: see
    :class:`~rnnpipe.parts.encoders.tree.tree_cells.ChildSumLSTMCell`.

    width: of h and of c.
    forget_bias: of the forget gates, at first.
    """

    width: PositiveInt
    forget_bias: float = 1.0
    cell = ChildSumLSTMCell


@encoders("rnnpipe.TreeGRU.v1")
@dataclass(frozen=True)
class TreeGRU(TreeSettings):
    """The child-sum Tree-GRU: see :class:`~rnnpipe.parts.encoders.tree.tree_cells.ChildSumGRUCell`.

    width: of a state.
    """

    width: PositiveInt
    cell = ChildSumGRUCell


class TreeEncoder(nn.Module):
    """A cell from the leaves to the roots, all nodes of one depth and of all trees at once.

    A state depends on the nodes below it only, which stand before it; but there is no next node to
    go on to without its tree, and so the encoder does not count as causal.
    """

    structure: type = Trees
    causal = False

    def __init__(self, n_in: int, cell: Callable[[int], TreeCell]) -> None:
        super().__init__()
        self.cell = cell(n_in)
        self.n_out = self.cell.width

    def forward(self, inputs: Tensor, structure: Trees, state: State | None = None) -> Encoded:
        """``(B, T, n_in)`` to states ``(B, T, width)``. state: none is carried, ``None``.

        RAISES: StructureError for a node with more children than the cell has weights for.
        """
        states = self.node_states(structure.gather(inputs), structure).narrow(1, 0, self.n_out)
        return Encoded(structure.scatter(states), structure, self.n_out)

    def node_states(self, inputs: Tensor, structure: Trees) -> Tensor:
        """Return all that a node's state holds, in the order of computation.
        ``(N, n_in) -> (N, states * width)``, h first."""
        self._check(structure.arity)
        steps = structure.steps
        x = self.cell.project(inputs)  # (N, gates * width)
        x_leaves, *x_inner = torch.split(x, [structure.n_leaves, *(step.n_nodes for step in steps)])
        leaves = self.cell.leaf(x_leaves)  # (n_leaves, states * width)
        # Those that are roots come last: no step asks for them.
        n_roots = structure.n_leaves - sum(step.n_leaves for step in steps)
        by_step = torch.split(leaves, [*(step.n_leaves for step in steps), n_roots])
        nothing = leaves.new_zeros(1, leaves.shape[1])
        inner = [leaves[:0]]
        for step, x_step, below in zip(steps, x_inner, by_step, strict=False):
            inner.append(self.cell.merge(x_step, torch.cat([inner[-1], below, nothing]), step))
        return torch.cat([leaves, *inner])

    def leaf_states(self, inputs: Tensor) -> Tensor:
        """Return all that the state of a node without children holds. ``(n, n_in) -> (n, S)``."""
        return self.cell.leaf(self.cell.project(inputs))

    def join(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the same of nodes without a word that have two children. ``(n, S)`` twice to
        ``(n, S)``.

        RAISES: StructureError if the cell has weights for one child only.
        """
        self._check(2)
        n = len(left)
        numbers = torch.arange(2 * n, device=left.device)
        step = Step(n, 0, numbers % n if n else numbers, numbers.view(2, n).mT)
        no_word = self.cell.bias.expand(n, -1)  # what a zero vector is projected to
        return self.cell.merge(
            no_word, torch.cat([left, right, left.new_zeros(1, left.shape[1])]), step
        )

    def _check(self, arity: int) -> None:
        most = self.cell.arity
        if most is not None and arity > most:
            raise StructureError(
                f"encoder.arity: expected trees with at most {most} children per node, got a "
                f"node with {arity}. Set arity to {arity}, or choose an encoder for any number "
                f"of children, "
                "such as 'rnnpipe.ChildSumTreeLSTM.v1'."
            )
