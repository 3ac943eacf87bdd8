"""Graph LSTMs over graphs without cycles: a node's state is made of those of its predecessors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import encoders
from rnnpipe.contracts.types import PositiveInt
from rnnpipe.layers.init import fill_gate_, uniform_blocks_
from rnnpipe.parts.encoders.graph.edge_weights import EdgeEmbeddings, EdgeMatrices
from rnnpipe.parts.encoders.graph.graph_building import GraphSettings
from rnnpipe.parts.encoders.tree.tree_cells import lstm_state
from rnnpipe.structures import DagPlan, Dags, DagStep, Encoded, Graphs, State


@dataclass(frozen=True)
class DagSettings(GraphSettings):
    width: PositiveInt
    type_width: PositiveInt | None = None
    forget_bias: float = 1.0


@encoders("rnnpipe.DagLSTM.v1")
class DagLSTM(DagSettings):
    """A graph LSTM along all edges of a graph without cycles: see :class:`DagCell`. With one type
    of edges, from children to parents, it is the child-sum Tree-LSTM.

    width: of h and of c.
    type_width: the size of an edge type's vector; by default each type has matrices of its own.
    forget_bias: of the forget gates, at first.
    """

    def build(self, n_in: int, n_types: int) -> DagEncoder:
        return DagEncoder(n_in, n_types, self)


@encoders("rnnpipe.BiDagLSTM.v1")
class BiDagLSTM(DagSettings):
    """Two graph LSTMs over any graph, as Peng et al. 2017 cut it in two: one along the edges that
    lead to a later node, one along those that lead to an earlier one. Neither has cycles. With an
    edge from each token to the next one, and back, and no others, it is the bidirectional LSTM.

    width: of h and of c of each direction; the states are twice as wide.
    type_width: the size of an edge type's vector; by default each type has matrices of its own.
    forget_bias: of the forget gates, at first.
    """

    def build(self, n_in: int, n_types: int) -> BiDagEncoder:
        return BiDagEncoder(n_in, n_types, self)


class DagCell(nn.Module):
    """The LSTM over a graph (Peng et al. 2017, Cross-Sentence N-ary Relation Extraction with Graph
    LSTMs). A node has a forget gate for each of its predecessors; ``m(j)`` is the type of the edge
    from predecessor j::

        i, u, o = W x + sum_j U_m(j) h_j + b           (one block of W, U and b each)
        f_j = sigmoid(W_f x + U_f,m(j) h_j + b_f)
        c = sigmoid(i) tanh(u) + sum_j f_j c_j
        h = sigmoid(o) tanh(c)

    ``U_m h`` is that of :class:`~rnnpipe.parts.encoders.graph.edge_weights.EdgeMatrices`, or with a
    ``type_width`` that of :class:`~rnnpipe.parts.encoders.graph.edge_weights.EdgeEmbeddings`.
    """

    def __init__(self, n_in: int, n_types: int, settings: DagSettings) -> None:
        super().__init__()
        self.width = width = settings.width
        weight = torch.empty(1, n_in, 4 * width)
        self.input_weight = nn.Parameter(uniform_blocks_(weight, width)[0])
        self.bias = nn.Parameter(fill_gate_(torch.zeros(4 * width), 3, width, settings.forget_bias))
        self.edges = (
            EdgeMatrices(n_types, width)
            if settings.type_width is None
            else EdgeEmbeddings(n_types, width, settings.type_width)
        )

    def forward(self, inputs: Tensor, plan: DagPlan) -> Tensor:
        """``(B, T, n_in)`` to h of all nodes, ``(B, T, H)``."""
        x = torch.addmm(self.bias, plan.gather(inputs), self.input_weight).to(self.bias.dtype)
        live = x.narrow(1, 0, 2 * self.width)[:0]  # (L, 2 H), none yet
        states = [live]
        by_step = torch.split(x, [step.n_nodes for step in plan.steps])
        for step, x_step in zip(plan.steps, by_step, strict=True):
            states.append(self.step(x_step, live, step))
            live = torch.cat([live, states[-1]]).index_select(0, step.live)
        return plan.scatter(torch.cat(states).narrow(1, 0, self.width))

    def step(self, x: Tensor, live: Tensor, step: DagStep) -> Tensor:
        """x: ``(m, 4 H)``, the input's share of the gates i, u, o, f. live: ``(L, 2 H)``, states
        ``[h; c]``. RETURNS: those of the step's nodes, ``(m, 2 H)``."""
        h, c = live.index_select(0, step.sources).chunk(2, dim=1)  # (e, H) each
        from_iuo, from_f = self.edges(h, step)  # (m, 3 H), (e, H)
        x_iuo, x_f = torch.split(x, [3 * self.width, self.width], dim=1)
        f = (x_f.index_select(0, step.targets) + from_f).sigmoid()
        return lstm_state(x_iuo + from_iuo, step.sum_at_nodes(f * c))


class DagEncoder(nn.Module):
    """See :class:`DagLSTM`. A state depends on the nodes from which edges lead to it, wherever they
    stand, so it does not count as causal."""

    structure: type = Dags
    causal = False

    def __init__(self, n_in: int, n_types: int, settings: DagSettings) -> None:
        super().__init__()
        self.cell = DagCell(n_in, n_types, settings)
        self.n_out = self.cell.width

    def forward(self, inputs: Tensor, structure: Dags, state: State | None = None) -> Encoded:
        """``(B, T, n_in)`` to states ``(B, T, width)``. state: none is carried, ``None``."""
        return Encoded(self.cell(inputs, structure.plan), structure, self.n_out)


class BiDagEncoder(nn.Module):
    """See :class:`BiDagLSTM`."""

    structure: type = Graphs
    causal = False

    def __init__(self, n_in: int, n_types: int, settings: DagSettings) -> None:
        super().__init__()
        self.to_later = DagCell(n_in, n_types, settings)
        self.to_earlier = DagCell(n_in, n_types, settings)
        self.n_out = 2 * self.to_later.width

    def forward(self, inputs: Tensor, structure: Graphs, state: State | None = None) -> Encoded:
        """``(B, T, n_in)`` to states ``(B, T, 2 * width)``, those that come from earlier nodes
        first. state: none is carried, ``None``."""
        forward = self.to_later(inputs, structure.forward_plan)
        backward = self.to_earlier(inputs, structure.backward_plan)
        return Encoded(torch.cat([forward, backward], dim=2), structure, self.to_later.width)
