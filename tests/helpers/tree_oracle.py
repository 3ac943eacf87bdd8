"""Recursive networks as they are written: a function of a node that calls itself for its children.

The weights are those of the encoder's cell; nothing else is shared with it.
"""

import torch


def children_of(parents):
    children = [[] for _ in parents]
    for node, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(node)
    return children


def recursive_states(encoder, x, parents):
    """The states of one document, node by node. ``(n, n_in) -> (n, width)``."""
    children = children_of(parents)
    equation = EQUATIONS[type(encoder.cell).__name__]
    states = {}

    def visit(node):
        below = [visit(child) for child in children[node]]
        states[node] = equation(encoder.cell, x[node], below)
        return states[node]

    for root in [node for node, parent in enumerate(parents) if parent < 0]:
        visit(root)
    if not states:
        return x.new_zeros(0, encoder.n_out)
    return torch.stack([states[node][0] for node in range(len(parents))])


def block(weight, i, width):
    return weight[..., i * width : (i + 1) * width]


def recursive_net(cell, x, children):
    total = x @ cell.input_weight + cell.bias
    for k, (h,) in enumerate(children):
        total = total + h @ cell.recurrent[k * cell.width : (k + 1) * cell.width]
    return (torch.tanh(total),)


def rntn(cell, x, children):
    H = cell.width
    total = x @ cell.input_weight + cell.bias
    for k, (h,) in enumerate(children):
        total = total + h @ cell.recurrent[k * H : (k + 1) * H]
        for m, (g,) in enumerate(children):
            slab = cell.tensor[k * H : (k + 1) * H, :, m * H : (m + 1) * H]
            total = total + torch.einsum("a,afb,b->f", h, slab, g)
    return (torch.tanh(total),)


def nary_lstm(cell, x, children):
    H = cell.width
    W, U, b = cell.input_weight, cell.recurrent, cell.bias

    def gate(i, u):
        total = x @ block(W, i, H) + block(b, i, H)
        for k, (h, _) in enumerate(children):
            total = total + h @ block(U, u, H)[k * H : (k + 1) * H]
        return total

    i, u, o = torch.sigmoid(gate(0, 0)), torch.tanh(gate(1, 1)), torch.sigmoid(gate(2, 2))
    c = i * u
    for k, (_, c_k) in enumerate(children):
        c = c + torch.sigmoid(gate(3, 3 + k)) * c_k
    return o * torch.tanh(c), c


def child_sum_lstm(cell, x, children):
    H = cell.width
    W, U, b = cell.input_weight, cell.recurrent, cell.bias
    total = sum((h for h, _ in children), x.new_zeros(H))
    i, u, o = (x @ block(W, n, H) + total @ block(U, n, H) + block(b, n, H) for n in range(3))
    c = torch.sigmoid(i) * torch.tanh(u)
    for h, c_k in children:
        forget = torch.sigmoid(x @ block(W, 3, H) + h @ cell.forget + block(b, 3, H))
        c = c + forget * c_k
    return torch.sigmoid(o) * torch.tanh(c), c


def child_sum_gru(cell, x, children):
    H = cell.width
    W, U, b = cell.input_weight, cell.recurrent, cell.bias
    s = sum((h for (h,) in children), x.new_zeros(H))
    r, z = (torch.sigmoid(x @ block(W, n, H) + s @ block(U, n, H) + block(b, n, H)) for n in (0, 1))
    n = torch.tanh(x @ block(W, 2, H) + (r * s) @ cell.candidate + block(b, 2, H))
    return ((1 - z) * s + z * n,)


EQUATIONS = {
    "RecursiveCell": recursive_net,
    "TensorCell": rntn,
    "NaryLSTMCell": nary_lstm,
    "ChildSumLSTMCell": child_sum_lstm,
    "ChildSumGRUCell": child_sum_gru,
}
