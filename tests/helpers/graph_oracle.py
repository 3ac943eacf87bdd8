"""Graph LSTMs as they are written: one node and one edge at a time.

The weights are those of the encoder; nothing else is shared with it.
"""

import torch

from helpers.tree_oracle import block


def edge_matrix(weights, m, i, width):
    """``U_m`` of gate i, ``(H, H)``."""
    if hasattr(weights, "matrices"):
        return block(weights.matrices[m], i, width)
    gates = torch.cat([weights.iuo, weights.forget], dim=1)
    slices = block(gates, i, width).split(width)
    return sum(share * matrix for share, matrix in zip(weights.types[m], slices, strict=True))


def dag_states(cell, x, edges):
    """h of each node of one document. x: ``(n, n_in)``. edges: ``[from, to, type]``, no cycles."""
    width = cell.width
    before = [[(source, m) for source, target, m in edges if target == t] for t in range(len(x))]
    states = {}

    def visit(t):
        if t not in states:
            inputs = [(*visit(source), m) for source, m in before[t]]

            def gate(i):
                total = x[t] @ block(cell.input_weight, i, width) + block(cell.bias, i, width)
                for h, _, m in inputs:
                    total = total + h @ edge_matrix(cell.edges, m, i, width)
                return total

            c = torch.sigmoid(gate(0)) * torch.tanh(gate(1))
            for h, c_j, m in inputs:
                forget = x[t] @ block(cell.input_weight, 3, width) + block(cell.bias, 3, width)
                forget = forget + h @ edge_matrix(cell.edges, m, 3, width)
                c = c + torch.sigmoid(forget) * c_j
            states[t] = torch.sigmoid(gate(2)) * torch.tanh(c), c
        return states[t]

    return stack([visit(t)[0] for t in range(len(x))], x, width)


def both_ways(encoder, x, edges):
    """What :func:`rnnpipe.parts.encoders.graph.dag.BiDagLSTM` makes of one document."""
    forward = dag_states(encoder.to_later, x, [e for e in edges if e[0] < e[1]])
    backward = dag_states(encoder.to_earlier, x, [e for e in edges if e[0] > e[1]])
    return torch.cat([forward, backward], dim=1)


def graph_state_states(encoder, x, edges):
    """h of each node of one document, message by message."""
    width, (n, n_in) = encoder.n_out, x.shape
    edge_size = n_in + encoder.types.shape[1]
    own, coming, going = encoder.input_weight.split([n_in, edge_size, edge_size])
    from_in, from_out = encoder.recurrent.split(width)
    h = c = [x.new_zeros(width) for _ in range(n)]
    for _ in range(encoder.steps):
        new = []
        for j in range(n):
            gates = x[j] @ own + encoder.bias
            for source, target, m in edges:
                fed = torch.cat([x[source], encoder.types[m]])
                if target == j:
                    gates = gates + fed @ coming + h[source] @ from_in
                if source == j:
                    gates = gates + fed @ going + h[target] @ from_out
            i, u, o, f = gates.chunk(4)
            c_j = torch.sigmoid(f) * c[j] + torch.sigmoid(i) * torch.tanh(u)
            new.append((torch.sigmoid(o) * torch.tanh(c_j), c_j))
        h, c = [s[0] for s in new], [s[1] for s in new]
    return stack(h, x, width)


def stack(states, x, width):
    return torch.stack(states) if states else x.new_zeros(0, width)
