"""Groups of nodes, gathered out of a batch."""

import numpy as np
import torch

from rnnpipe.structures import Mentions


def test_nodes_of_each_group():
    x = torch.arange(1.0, 9.0).view(2, 4, 1)
    groups = [[np.array([0]), np.array([1, 3])], [np.array([2, 1, 0]), np.array([], dtype=int)]]
    mentions = Mentions.of(groups, 2, size=4)
    assert mentions.groups.host_lengths == (1, 2, 3, 0)
    assert mentions.gather(x).squeeze(2).tolist() == [[1, 0, 0], [2, 4, 0], [7, 6, 5], [0, 0, 0]]


def test_no_documents_and_no_nodes():
    empty = np.array([], dtype=np.int64)
    assert Mentions.of([], 2, size=0).gather(torch.zeros(0, 0, 3)).shape == (0, 0, 3)
    assert Mentions.of([[empty, empty]], 2, size=0).gather(torch.zeros(1, 0, 3)).shape == (2, 0, 3)
