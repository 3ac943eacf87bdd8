"""One node of a recursive network: the equations.

A cell is given the input's share of its gates, ``x = W x_j + b``, computed for all nodes at once
(:meth:`TreeCell.project`). The state of a node is one row, ``h`` first. :meth:`TreeCell.leaf` is
:meth:`TreeCell.merge` for nodes without children.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from rnnpipe.layers.init import fill_gate_, orthogonal_blocks_, uniform_blocks_
from rnnpipe.structures import Step


class TreeCell(nn.Module, ABC):
    """What the cells below share: weights and the input's share.

    n_in, width: of the input and of h.
    """

    #: Blocks of ``input_weight`` and ``bias``, in the order of the equation.
    gates: ClassVar[int]
    #: How many vectors of ``width`` a state has.
    states: ClassVar[int] = 1
    #: The most children a node may have; ``None``: any number.
    arity: int | None = None

    def __init__(self, n_in: int, width: int) -> None:
        super().__init__()
        self.width = width
        weight = torch.empty(1, n_in, self.gates * width)
        self.input_weight = nn.Parameter(uniform_blocks_(weight, width)[0])
        self.bias = nn.Parameter(torch.zeros(self.gates * width))

    def project(self, x: Tensor) -> Tensor:
        """``W x + b``. ``(N, n_in) -> (N, gates * width)``."""
        return torch.addmm(self.bias, x, self.input_weight).to(self.bias.dtype)

    @abstractmethod
    def leaf(self, x: Tensor) -> Tensor:
        """Return the states of nodes without children.
        ``(n, gates * width) -> (n, states * width)``."""

    @abstractmethod
    def merge(self, x: Tensor, below: Tensor, step: Step) -> Tensor:
        """Return the states of the inner nodes of a step.

        x: ``(m, gates * width)``, projected.
        below: ``(C + 1, states * width)``, the states of the level below; the last row is zero and
            stands for a child that there is not.
        RETURNS: ``(m, states * width)``.
        """


def recurrent_blocks(blocks: int, width: int, gates: int) -> nn.Parameter:
    """``(blocks * width, gates * width)``: the matrices that ``blocks`` states side by side are
    multiplied with; each begins orthogonal."""
    weight = orthogonal_blocks_(torch.empty(blocks, width, gates * width))
    return nn.Parameter(weight.flatten(0, 1))


class NaryCell(TreeCell):
    """A cell that tells a node's first child from its second, and so on: each has weights of its
    own. A child that there is not counts as zeros, so that unary nodes need nothing special.

    arity: N, the most children a node may have.
    """

    arity: int

    def __init__(self, n_in: int, width: int, *, arity: int) -> None:
        super().__init__(n_in, width)
        self.arity = arity

    def slots(self, below: Tensor, step: Step) -> Tensor:
        """Return the states of each node's children, ``(m, N, states * width)``."""
        rows = step.slots(self.arity)
        return below.index_select(0, rows.flatten()).view(*rows.shape, below.shape[1])


class RecursiveCell(NaryCell):
    """``p = tanh(V x + W [c_1; ...; c_N] + b)``: the recursive net (Socher et al. 2011, Parsing
    Natural Scenes and Natural Language with Recursive Neural Networks), where N is 2, leaves are
    words, ``tanh(V x + b)``, and inner nodes have no words, ``tanh(W [c_1; c_2] + b)``."""

    gates = 1

    def __init__(self, n_in: int, width: int, *, arity: int) -> None:
        super().__init__(n_in, width, arity=arity)
        self.recurrent = recurrent_blocks(arity, width, 1)

    def leaf(self, x: Tensor) -> Tensor:
        return x.tanh()

    def merge(self, x: Tensor, below: Tensor, step: Step) -> Tensor:
        children = self.slots(below, step).flatten(1)  # (m, N * H)
        return (x + (children @ self.recurrent).to(x.dtype)).tanh()


class TensorCell(RecursiveCell):
    """``p = tanh(V x + c^T T c + W c + b)`` with ``c = [c_1; ...; c_N]`` and, for each feature of
    p, a matrix of the tensor T: children multiply each other (Socher et al. 2013, Recursive Deep
    Models for Semantic Compositionality Over a Sentiment Treebank: the recursive neural tensor
    network). ``T``: ``(N H, H, N H)``, its middle axis runs over the features of p."""

    def __init__(self, n_in: int, width: int, *, arity: int) -> None:
        super().__init__(n_in, width, arity=arity)
        size = arity * width
        self.tensor = nn.Parameter(torch.empty(size, width, size).uniform_(-1, 1) / size)

    def merge(self, x: Tensor, below: Tensor, step: Step) -> Tensor:
        c = self.slots(below, step).flatten(1)  # (m, N * H)
        rows = (c @ self.tensor.flatten(1)).to(x.dtype)  # (m, H * N * H)
        products = torch.bmm(rows.view(-1, self.width, c.shape[1]), c.unsqueeze(2)).squeeze(2)
        return (x + products.to(x.dtype) + (c @ self.recurrent).to(x.dtype)).tanh()


class NaryLSTMCell(NaryCell):
    """N-ary Tree-LSTM (Tai et al. 2015, Improved Semantic Representations From Tree-Structured
    Long Short-Term Memory Networks, equations 9 to 14); the forget gate of child k sees the input
    and all children::

        i, u, o = W x + sum_l U_l h_l + b              (one block of W, U_l and b each)
        f_k = sigmoid(W_f x + sum_l U_kl h_l + b_f)
        c = sigmoid(i) tanh(u) + sum_k f_k c_k
        h = sigmoid(o) tanh(c)

    forget_bias: of the forget gates, at first.
    """

    gates = 4
    states = 2

    def __init__(self, n_in: int, width: int, *, arity: int, forget_bias: float = 1.0) -> None:
        super().__init__(n_in, width, arity=arity)
        self.recurrent = recurrent_blocks(arity, width, 3 + arity)
        fill_gate_(self.bias, 3, width, forget_bias)

    def leaf(self, x: Tensor) -> Tensor:
        return _childless_lstm(x)

    def merge(self, x: Tensor, below: Tensor, step: Step) -> Tensor:
        h, c = self.slots(below, step).chunk(2, dim=2)  # (m, N, H) each
        sums = (h.flatten(1) @ self.recurrent).to(x.dtype)  # (m, (3 + N) * H)
        x_iuo, x_f = torch.split(x, [3 * self.width, self.width], dim=1)
        iuo, f = torch.split(sums, [3 * self.width, self.arity * self.width], dim=1)
        f = (x_f.unsqueeze(1) + f.view_as(c)).sigmoid()  # (m, N, H)
        return lstm_state(x_iuo + iuo, (f * c).sum(1))


class ChildSumLSTMCell(TreeCell):
    """Child-sum Tree-LSTM (Tai et al. 2015, equations 2 to 8): any number of children, in no order;
    the forget gate of child k sees the input and that child::

        i, u, o = W x + U sum_k h_k + b                (one block of W, U and b each)
        f_k = sigmoid(W_f x + U_f h_k + b_f)
        c = sigmoid(i) tanh(u) + sum_k f_k c_k
        h = sigmoid(o) tanh(c)

    forget_bias: of the forget gates, at first.
    """

    gates = 4
    states = 2

    def __init__(self, n_in: int, width: int, *, forget_bias: float = 1.0) -> None:
        super().__init__(n_in, width)
        self.recurrent = recurrent_blocks(1, width, 3)
        self.forget = recurrent_blocks(1, width, 1)
        fill_gate_(self.bias, 3, width, forget_bias)

    def leaf(self, x: Tensor) -> Tensor:
        return _childless_lstm(x)

    def merge(self, x: Tensor, below: Tensor, step: Step) -> Tensor:
        h, c = below[:-1].chunk(2, dim=1)  # (C, H) each
        x_iuo, x_f = torch.split(x, [3 * self.width, self.width], dim=1)
        iuo = (_sum_children(h, step) @ self.recurrent).to(x.dtype)
        f = x_f.index_select(0, step.parents) + (h @ self.forget).to(x.dtype)  # (C, H)
        return lstm_state(x_iuo + iuo, _sum_children(f.sigmoid() * c, step))


class ChildSumGRUCell(TreeCell):
    """Child-sum Tree-GRU (Zhou et al. 2016, Modelling Sentence Pairs with Tree-structured Attentive
    Encoder), with ``s = sum_k h_k``::

        r, z = sigmoid(W x + U s + b)                  (one block of W, U and b each)
        n = tanh(W_n x + U_n (r s) + b_n)
        h = (1 - z) s + z n
    """

    gates = 3

    def __init__(self, n_in: int, width: int) -> None:
        super().__init__(n_in, width)
        self.recurrent = recurrent_blocks(1, width, 2)
        self.candidate = recurrent_blocks(1, width, 1)

    def leaf(self, x: Tensor) -> Tensor:
        _, z, n = x.chunk(3, dim=1)
        return z.sigmoid() * n.tanh()

    def merge(self, x: Tensor, below: Tensor, step: Step) -> Tensor:
        s = _sum_children(below[:-1], step)
        x_rz, x_n = torch.split(x, [2 * self.width, self.width], dim=1)
        r, z = (x_rz + (s @ self.recurrent).to(x.dtype)).sigmoid().chunk(2, dim=1)
        n = (x_n + ((r * s) @ self.candidate).to(x.dtype)).tanh()
        return s + z * (n - s)


def _sum_children(rows: Tensor, step: Step) -> Tensor:
    """Add up what belongs to the children of each node. ``(C, H) -> (m, H)``."""
    return rows.new_zeros(step.n_nodes, rows.shape[1]).index_add(0, step.parents, rows)


def lstm_state(iuo: Tensor, kept: Tensor) -> Tensor:
    """``[h; c]`` from the gates and what the forget gates kept, ``(n, 3 H)`` and ``(n, H)``."""
    i, u, o = iuo.chunk(3, dim=1)
    c = i.sigmoid() * u.tanh() + kept
    return torch.cat([o.sigmoid() * c.tanh(), c], dim=1)


def _childless_lstm(x: Tensor) -> Tensor:
    i, u, o, _ = x.chunk(4, dim=1)
    c = i.sigmoid() * u.tanh()
    return torch.cat([o.sigmoid() * c.tanh(), c], dim=1)
