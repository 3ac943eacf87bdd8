"""The encoder against its equation, node by node."""

import torch
from rnnpipe_acme.leaky_rnn import LeakyRNN

from rnnpipe.api import Sequences


def test_states_are_those_of_the_equation():
    encoder = LeakyRNN(width=4, leak=0.25)(3)
    (cell,) = encoder.layers
    x = torch.randn(1, 6, 3)
    states = encoder(x, Sequences.of([6])).states[0]
    h = torch.zeros(4)
    for t in range(6):
        new = x[0, t] @ cell.input_weight[0] + cell.bias[0, 0] + h @ cell.hidden.weight[0]
        h = 0.75 * h + 0.25 * new.tanh()
        torch.testing.assert_close(states[t], h)
