"""The best, the n best and random sequences of linear chains."""

from collections import Counter

import pytest
import torch
from helpers.chain_oracle import oracles, random_chain
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.parts.decoders.chain import compiled
from rnnpipe.parts.decoders.chain.potentials import Chain
from rnnpipe.parts.decoders.chain.search import n_best, sample, viterbi
from rnnpipe.structures import Sequences

LENGTHS = [4, 0, 1, 5, 3]
CASES = [(n_labels, forbid, by) for n_labels in (2, 4) for forbid in (0, 0.3) for by in (0, 1)]


@pytest.fixture(params=["torch", "compiled"])
def way(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(compiled, "kernels", lambda module: None)
    else:
        assert compiled.kernels(compiled._KERNELS), "install the extra 'fast'"


def best_by_loops(chain, row):
    """Viterbi's algorithm for one document, a score at a time."""
    n, labels = int(chain.structure.lengths[row]), range(chain.emissions.shape[2])
    scores = [chain.start[j] + chain.emissions[row, 0, j] for j in labels]
    before = []
    for t in range(1, n):
        step = chain.transitions[row, t - 1] if chain.by_step else chain.transitions
        ways = [[scores[i] + step[i, j] for i in labels] for j in labels]
        before.append([max(labels, key=way.__getitem__) for way in ways])
        scores = [
            max(way) + chain.emissions[row, t, j] for j, way in zip(labels, ways, strict=False)
        ]
    path = [max(labels, key=lambda j: scores[j] + chain.end[j])]
    for choice in reversed(before):
        path.append(choice[path[-1]])
    return path[::-1]


@pytest.mark.parametrize("n_labels, forbid, by_step", CASES)
def test_viterbi_equals_the_enumeration(way, n_labels, forbid, by_step):
    for seed in range(5):
        chain = random_chain(LENGTHS, n_labels, seed, forbid=forbid, by_step=bool(by_step))
        for oracle, path in zip(oracles(chain), viterbi(chain).tolist(), strict=True):
            assert tuple(path[: oracle.length]) == oracle.ranked()[0][0]
            assert not any(path[oracle.length :])


@pytest.mark.parametrize("n_labels", [1, 7, 8, 9, 17])
def test_viterbi_equals_loops_on_longer_documents(way, n_labels):
    chain = random_chain([30, 1, 12], n_labels, seed=n_labels, dtype=torch.float32)
    for row, n in enumerate([30, 1, 12]):
        assert viterbi(chain)[row, :n].tolist() == best_by_loops(chain, row)


def test_viterbi_with_extreme_scores(way):
    emissions = torch.tensor([[[1e4, 0.0, -1e4], [-1e4, 0.0, 3e4], [0.0, 1.0, -1e4]]])
    transitions = torch.zeros(3, 3)
    transitions[0, 2] = transitions[2, 0] = -torch.inf
    chain = Chain(emissions, transitions, torch.zeros(3), torch.zeros(3), Sequences.of([3]))
    assert viterbi(chain).tolist() == [[1, 2, 1]]


def test_the_first_of_equal_labels_wins(way):
    zeros = torch.zeros(3)
    chain = Chain(torch.zeros(2, 4, 3), torch.zeros(3, 3), zeros, zeros, Sequences.of([4, 2]))
    assert not viterbi(chain).any()


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_batches_without_nodes(way, lengths):
    chain = random_chain(lengths, 3)
    assert viterbi(chain).shape == (len(lengths), 0)
    paths, log_probabilities = n_best(chain, 2)
    assert paths.shape == (len(lengths), 2, 0)
    assert log_probabilities.tolist() == [[0.0, -torch.inf]] * len(lengths)
    assert sample(chain, 2).shape == (len(lengths), 2, 0)


@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=5),
    n_labels=st.integers(1, 5),
    extra=st.integers(0, 3),
    seed=st.integers(0, 1000),
)
@settings(max_examples=25, deadline=None)
def test_a_document_does_not_depend_on_its_batch(lengths, n_labels, extra, seed):
    batch = random_chain([*lengths, max(lengths) + extra], n_labels, seed)
    best, (paths, logs) = viterbi(batch), n_best(batch, 3)
    for row, n in enumerate(lengths):
        scores = batch.emissions[row : row + 1, :n], batch.transitions, batch.start, batch.end
        alone = Chain(*scores, Sequences.of([n]))
        assert viterbi(alone)[0].tolist() == best[row, :n].tolist()
        assert n_best(alone, 3)[0][0].tolist() == paths[row, :, :n].tolist()
        torch.testing.assert_close(n_best(alone, 3)[1][0], logs[row])


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("n_labels, forbid, by_step", CASES)
def test_n_best_equals_the_enumeration(n_labels, forbid, by_step, n):
    chain = random_chain(LENGTHS, n_labels, seed=n, forbid=forbid, by_step=bool(by_step))
    paths, log_probabilities = n_best(chain, n)
    assert paths.shape == (len(LENGTHS), n, 5)
    for row, oracle in enumerate(oracles(chain)):
        ranked = oracle.ranked()[:n]
        found = [tuple(path[: oracle.length]) for path in paths[row].tolist()]
        assert found[: len(ranked)] == [path for path, _ in ranked]
        want = torch.tensor([log for _, log in ranked], dtype=torch.float64)
        torch.testing.assert_close(log_probabilities[row, : len(ranked)], want)
        assert (log_probabilities[row, len(ranked) :] == -torch.inf).all()
        assert not paths[row, len(ranked) :].any()
        assert not paths[row, :, oracle.length :].any()


def test_all_sequences_of_a_document_have_probability_one():
    chain = random_chain([3, 2], 3, dtype=torch.float32)
    _, log_probabilities = n_best(chain, 40)
    torch.testing.assert_close(log_probabilities.exp().sum(1), torch.ones(2))
    assert (log_probabilities > -torch.inf).sum(1).tolist() == [27, 9]


@pytest.mark.parametrize("by_step", [False, True])
def test_samples_follow_the_distribution(by_step):
    n = 4000
    chain = random_chain([3, 0, 1, 2], 3, seed=2, scale=1.0, forbid=0.2, by_step=by_step)
    paths = sample(chain, n, torch.Generator().manual_seed(0))
    assert paths.shape == (4, n, 3)
    for row, oracle in enumerate(oracles(chain)):
        counts = Counter(tuple(path[: oracle.length]) for path in paths[row].tolist())
        assert not paths[row, :, oracle.length :].any()
        # Pearson's statistic has mean k - 1 and variance 2 (k - 1) over k possible sequences.
        expected = {path: n * oracle.probability(path) for path, _ in oracle.ranked()}
        assert counts.keys() <= expected.keys()
        statistic = sum((counts[path] - e) ** 2 / e for path, e in expected.items())
        free = len(expected) - 1
        assert statistic <= free + 4 * (2 * free) ** 0.5


def test_samples_repeat_with_their_seed():
    chain = random_chain([6, 4], 4)
    first = sample(chain, 5, torch.Generator().manual_seed(1))
    assert first.equal(sample(chain, 5, torch.Generator().manual_seed(1)))
    assert not first.equal(sample(chain, 5, torch.Generator().manual_seed(2)))


@pytest.mark.parametrize("by_step", [False, True])
def test_no_value_is_read_on_the_way(by_step):
    chain = random_chain([3, 1], 4, by_step=by_step)
    scores = (score.to("meta") for score in chain.scores)
    lengths = torch.empty(2, dtype=torch.int64, device="meta")
    meta = Chain(*scores, Sequences(lengths, 3))
    assert viterbi(meta).shape == (2, 3)
    assert n_best(meta, 3)[0].shape == (2, 3, 3)
    assert sample(meta, 2).shape == (2, 2, 3)
