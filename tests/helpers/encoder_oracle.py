"""Encoders the slow way: a document, a layer, a direction and a step at a time, unpadded."""

import copy

import torch

from rnnpipe.parts.encoders.sequence import bidirectional, recurrent
from rnnpipe.parts.encoders.sequence.stack import RecurrentStack

#: Every registered recurrent encoder, and every setting of a cell.
FORWARD = {
    "RNN": {},
    "RNN relu": {"nonlinearity": "relu"},
    "GRU": {},
    "GRU before": {"reset": "before"},
    "MGU": {},
    "UGRNN": {},
    "LSTM": {},
    "OriginalLSTM": {},
    "CIFG": {},
    "PeepholeLSTM": {},
    "DiagonalRNN": {},
    "DiagonalGRU": {},
    "DiagonalLSTM": {},
}
BIDIRECTIONAL = {f"Bi{name}": settings for name, settings in FORWARD.items()}
ALL = FORWARD | BIDIRECTIONAL


def builder(case, **settings):
    """The builder of a case of the tables above."""
    module = bidirectional if case in BIDIRECTIONAL else recurrent
    return getattr(module, case.split()[0])(**{"width": 4, **ALL[case], **settings})


def make(case, n_in=3, dtype=torch.float64, **settings) -> RecurrentStack:
    """An encoder whose biases, gains and peepholes are not at their trivial initial values."""
    encoder = builder(case, **settings)(n_in).to(dtype)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return encoder.eval()


def documents_of(lengths, n_in=3, dtype=torch.float64):
    return [torch.randn(n, n_in, dtype=dtype) for n in lengths]


def padded(documents, size=None, fill=0.0):
    """``(B, T, n_in)``."""
    longest = max((len(d) for d in documents), default=0) if size is None else size
    x = torch.full((len(documents), longest, documents[0].shape[1]), fill).to(documents[0])
    for row, document in zip(x, documents, strict=True):
        row[: len(document)] = document
    return x


def one_direction(cell, direction):
    """A cell of one direction with the weights of one of another cell's."""
    alone = copy.deepcopy(cell)
    alone.directions = 1
    for module in alone.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            setattr(module, name, torch.nn.Parameter(parameter[direction : direction + 1]))
    return alone


def encode(encoder, document, state=None):
    """The states of a document, ``(T, n_out)``, and each layer's state after its last node, a tuple
    of ``(width,)``, in the order in which a forward encoder reads."""
    below, after = list(document), []
    for number, cell in enumerate(encoder.layers):
        x = below
        if encoder.skip and number:
            x = [torch.cat(pair) for pair in zip(below, document, strict=True)]
        halves = []
        for direction in range(encoder.directions):
            begin = state[number] if state is not None else None
            order = range(len(x)) if direction == 0 else reversed(range(len(x)))
            half, last = _read(one_direction(cell, direction), [x[t] for t in order], begin)
            halves.append(half if direction == 0 else half[::-1])
        after.append(last)
        above = [torch.cat(states) for states in zip(*halves, strict=True)]
        if encoder.residual and number:
            above = [a + b for a, b in zip(above, below, strict=True)]
        below = above
    empty = document.new_zeros(0, encoder.n_out)
    return torch.stack(below) if below else empty, after


def _read(cell, x, begin):
    zeros = torch.zeros(cell.width, dtype=cell.bias.dtype)
    state = tuple(begin or [zeros] * cell.states)
    states = []
    for x_t in x:
        state = cell.step(cell.project(x_t[None, None]), tuple(s[None, None] for s in state))
        state = tuple(s[0, 0] for s in state)
        states.append(state[0])
    return states, state
