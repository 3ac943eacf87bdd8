"""The filter against what it says, by hand."""

import pytest
import torch
from rnnpipe_acme.epsilon import Epsilon


class Alphabet:
    size, end = 4, None


@pytest.mark.parametrize("epsilon, kept", [(0.1, [0, 1, 2]), (0.3, [0, 1]), (0.9, [0])])
def test_symbols_that_are_kept(epsilon, kept):
    log_probabilities = torch.tensor([0.45, 0.34, 0.2, 0.01]).log()
    changed = Epsilon(epsilon=epsilon)(Alphabet())(log_probabilities, torch.zeros(0).long())
    assert (changed > -torch.inf).nonzero().flatten().tolist() == kept
    torch.testing.assert_close(changed[kept], log_probabilities[kept])
