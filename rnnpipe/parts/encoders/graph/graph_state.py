"""The graph-state LSTM: all nodes of a graph are updated at once, several times."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import encoders
from rnnpipe.contracts.types import PositiveInt
from rnnpipe.layers.init import fill_gate_, uniform_blocks_
from rnnpipe.parts.encoders.graph.graph_building import GraphSettings
from rnnpipe.parts.encoders.tree.tree_cells import lstm_state, recurrent_blocks
from rnnpipe.structures import Encoded, Graphs, State


@encoders("rnnpipe.GraphStateLSTM.v1")
@dataclass(frozen=True)
class GraphStateLSTM(GraphSettings):
    """Message passing over any directed graph: see :class:`GraphStateEncoder`. A node hears both
    those from which edges come and those to which they lead, and tells the two apart; with each
    edge also back, as ``rnnpipe.TwoWayEdges.v1`` adds it, it could not.

    width: of h and of c.
    steps: how often the states are updated: how many edges away a node can be to be heard.
    type_width: the size of an edge type's vector.
    forget_bias: of the forget gate, at first.
    """

    width: PositiveInt
    steps: PositiveInt = 5
    type_width: PositiveInt = 10
    forget_bias: float = 1.0

    def build(self, n_in: int, n_types: int) -> GraphStateEncoder:
        return GraphStateEncoder(n_in, n_types, self)


class GraphStateEncoder(nn.Module):
    """Graph-state LSTM (Song et al. 2018, N-ary Relation Extraction using Graph-State LSTM). With
    sums over the edges k -> j that come in, and over the edges j -> k that go out, of type m::

        a = sum_in [x_k; e_m]      h_in = sum_in h_k
        b = sum_out [x_j; e_m]     h_out = sum_out h_k
        i, u, o, f = W x_j + A a + B b + U h_in + V h_out + b     (one block of each)
        c' = sigmoid(f) c + sigmoid(i) tanh(u)
        h' = sigmoid(o) tanh(c')

    from states of zeros. The node's own ``W x_j`` is ours, so that one without edges has its word.
    """

    structure: type = Graphs
    causal = False

    def __init__(self, n_in: int, n_types: int, settings: GraphStateLSTM) -> None:
        super().__init__()
        width, type_width = settings.width, settings.type_width
        self.n_out = width
        self.steps = settings.steps
        self.types = nn.Parameter(torch.randn(n_types, type_width) / type_width**0.5)
        sizes = (n_in, n_in + type_width, n_in + type_width)
        blocks = [uniform_blocks_(torch.empty(1, size, 4 * width), width)[0] for size in sizes]
        self.input_weight = nn.Parameter(torch.cat(blocks))
        self.recurrent = recurrent_blocks(2, width, 4)  # (2 H, 4 H)
        self.bias = nn.Parameter(fill_gate_(torch.zeros(4 * width), 3, width, settings.forget_bias))

    def forward(self, inputs: Tensor, structure: Graphs, state: State | None = None) -> Encoded:
        """``(B, T, n_in)`` to states ``(B, T, width)``. state: none is carried, ``None``."""
        sources, targets = structure.sources, structure.targets
        x = structure.gather(inputs)  # (N, n_in)
        types = self.types.index_select(0, structure.types)
        edges = torch.cat([x.index_select(0, sources), types], dim=1)  # (E, n_in + type_width)
        sums = [_sum_at(nodes, edges, len(x)) for nodes in (targets, sources)]
        x = torch.addmm(self.bias, torch.cat([x, *sums], dim=1), self.input_weight)
        x = x.to(self.bias.dtype)  # (N, 4 H)
        h = c = torch.zeros_like(x.narrow(1, 0, self.n_out))
        for _ in range(self.steps):
            heard = [
                _sum_at(targets, h.index_select(0, sources), len(x)),
                _sum_at(sources, h.index_select(0, targets), len(x)),
            ]
            gates = x + (torch.cat(heard, dim=1) @ self.recurrent).to(x.dtype)  # (N, 4 H)
            iuo, f = torch.split(gates, [3 * self.n_out, self.n_out], dim=1)
            h, c = lstm_state(iuo, f.sigmoid() * c).chunk(2, dim=1)
        return Encoded(structure.scatter(h), structure, self.n_out)


def _sum_at(nodes: Tensor, rows: Tensor, n: int) -> Tensor:
    """Add up the rows of the edges at each node. ``(E, D) -> (n, D)``."""
    return rows.new_zeros(n, rows.shape[1]).index_add(0, nodes, rows)
