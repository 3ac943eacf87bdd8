"""The output against its equation, level by level."""

import torch
from rnnpipe_acme.cumulative import Cumulative


def test_probabilities_are_those_of_the_equation():
    output, x = Cumulative()(6, 2, 4), torch.randn(5, 6)
    cuts, w = output.cuts(), output.weight
    assert (cuts.diff(dim=-1) > 0).all()
    probabilities = output.log_probabilities(x).exp()
    for state, got in zip(x, probabilities, strict=True):
        middles = [w[0, 0] @ state[:3], w[1, 0] @ state[:3] + w[1, 1] @ state[3:]]
        for channel, middle in enumerate(middles):
            want = torch.sigmoid(cuts[channel] - middle)
            torch.testing.assert_close(got[channel].cumsum(0)[:-1], want)
