"""Partition function, marginals and gradients of linear chains, by each of the three ways."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.chain_oracle import oracles, random_chain, requiring_grad
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.contracts.schemes import SCHEMES
from rnnpipe.parts.decoders.chain import compiled, partition
from rnnpipe.parts.decoders.chain.logspace import log_messages
from rnnpipe.parts.decoders.chain.lowering import find_lowering
from rnnpipe.parts.decoders.chain.partition import log_partition, marginals, surprisal
from rnnpipe.parts.decoders.chain.potentials import Chain
from rnnpipe.parts.decoders.chain.scaled import scaled_messages
from rnnpipe.parts.decoders.chain.search import sample
from rnnpipe.structures import Sequences

LENGTHS = [4, 0, 1, 5, 3]


@pytest.fixture(params=["log space", "scaled", "compiled"])
def way(request, monkeypatch):
    """Every test that asks for it runs in log space, on probabilities, and by numba's kernels."""
    if request.param == "log space":
        monkeypatch.setattr(partition, "find_lowering", lambda chain: None)
    elif request.param == "scaled":
        monkeypatch.setattr(compiled, "kernels", lambda module: None)
    else:
        assert compiled.kernels(compiled._KERNELS), "install the extra 'fast'"
    return request.param


def gradients(chain, weights):
    """Of the weighted sum of log Z: in emissions, transitions, start and end."""
    chain = requiring_grad(chain)
    (log_partition(chain) * weights).sum().backward()
    return [score.grad for score in chain.scores]


def random_paths(chain, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = chain.emissions.shape[:2]
    return torch.randint(chain.emissions.shape[2], shape, generator=generator)


@pytest.mark.parametrize("by_step", [False, True])
@pytest.mark.parametrize("n_labels, forbid", [(1, 0.0), (2, 0.0), (4, 0.0), (2, 0.3), (4, 0.3)])
def test_sums_and_gradients_equal_the_enumeration(way, n_labels, forbid, by_step):
    chain = random_chain(LENGTHS, n_labels, seed=n_labels, forbid=forbid, by_step=by_step)
    weights = torch.tensor([0.5, 2.0, 3.0, -1.0, 0.7], dtype=torch.float64)
    truth = oracles(chain)

    np.testing.assert_allclose(log_partition(chain), [o.log_partition for o in truth], rtol=1e-10)
    nodes = np.stack([o.marginals() for o in truth])
    np.testing.assert_allclose(marginals(chain), nodes, atol=1e-10)

    emissions, transitions, start, end = gradients(chain, weights)
    nodes = nodes * weights.numpy()[:, None, None]
    pairs = np.stack([o.pairs() for o in truth]) * weights.numpy()[:, None, None, None]
    last = [nodes[row, n - 1] for row, n in enumerate(LENGTHS) if n]
    np.testing.assert_allclose(emissions, nodes, atol=1e-10)
    np.testing.assert_allclose(transitions, pairs if by_step else pairs.sum((0, 1)), atol=1e-10)
    np.testing.assert_allclose(start, nodes[:, 0].sum(0), atol=1e-10)
    np.testing.assert_allclose(end, np.sum(last, 0), atol=1e-10)


@pytest.mark.parametrize("by_step", [False, True])
def test_gradients_are_those_of_finite_differences(way, by_step):
    chain = requiring_grad(random_chain([3, 0, 2], 3, by_step=by_step))
    paths = random_paths(chain)

    def function(*scores):
        rebuilt = Chain(*scores, chain.structure)
        return log_partition(rebuilt), surprisal(rebuilt, paths)

    assert torch.autograd.gradcheck(function, chain.scores)


@pytest.mark.parametrize("by_step", [False, True])
def test_surprisal_is_minus_the_log_probability(way, by_step):
    chain = random_chain(LENGTHS, 3, seed=5, by_step=by_step)
    paths = random_paths(chain)
    found = surprisal(chain, paths)
    for oracle, path, value in zip(oracles(chain), paths.tolist(), found, strict=True):
        want = oracle.log_partition - oracle.scores[tuple(path[: oracle.length])]
        assert value.item() == pytest.approx(want)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_scores(way, dtype):
    # "B" costs 10,000, but "I", which only it may come before, gains as much: B I at the last two
    # nodes is as good as O O, and the sums of either alone would vanish.
    emissions = torch.zeros(1, 3, 3, dtype=dtype)  # O, B, I
    emissions[0, 1, 1], emissions[0, 2, 2] = -1e4, 1e4
    transitions = torch.zeros(3, 3, dtype=dtype)
    transitions[0, 2] = -torch.inf
    start = torch.tensor([0.0, -torch.inf, -torch.inf], dtype=dtype)
    chain = Chain(emissions, transitions, start, torch.zeros(3, dtype=dtype), Sequences.of([3]))
    # O B I | O O O | O O B, and the rest 10,000 below
    torch.testing.assert_close(log_partition(chain), torch.tensor([3.0], dtype=dtype).log())
    third = torch.tensor([1.0, 1.0, 1.0], dtype=dtype) / 3
    torch.testing.assert_close(marginals(chain)[0, 2], third)
    torch.testing.assert_close(gradients(chain, torch.ones(1))[0][0, 2], third)


@pytest.mark.parametrize("scale", [50.0, 1e3, 1e4])
def test_random_extreme_scores_equal_the_enumeration(way, scale):
    chain = random_chain([5, 3], 3, seed=8, scale=scale, forbid=0.3)
    truth = oracles(chain)
    np.testing.assert_allclose(log_partition(chain), [o.log_partition for o in truth], rtol=1e-12)
    nodes = np.stack([o.marginals() for o in truth])
    emissions, *_ = gradients(chain, torch.ones(2, dtype=torch.float64))
    np.testing.assert_allclose(emissions, nodes, atol=1e-9)


@pytest.mark.parametrize("depth", [5.0, 20.0, 60.0, 150.0])
def test_a_single_high_score_does_not_make_the_rest_vanish(way, depth):
    # Every other node lies `depth` below the peak, and so does each of its sums below the last.
    chain = random_chain([300], 4, scale=1.0)
    chain.emissions[0, 100, 2] += depth
    chain.emissions[0, 200, 1] -= depth
    want = log_messages(chain)
    torch.testing.assert_close(log_partition(chain), want.log_total)
    emissions, transitions, *_ = gradients(chain, torch.ones(1, dtype=torch.float64))
    nodes, steps = want.expectations(torch.ones(1, dtype=torch.float64))
    torch.testing.assert_close(emissions, nodes[:-1, :, :-1].transpose(0, 1))
    torch.testing.assert_close(transitions, steps[:-1, :-1])


def test_sums_stay_in_range_for_as_long_as_promised():
    # The worst case: all nodes but one lie 30 nats below the peak, so that sums from either side
    # shrink by as much at every step until they are rescaled.
    chain = random_chain([120], 5, scale=0.1)
    chain.emissions[0, 60, 2] += 30.0
    lowering = find_lowering(chain)
    assert 1 < lowering.interval < 120
    want, found = log_messages(chain), scaled_messages(chain, lowering)
    one = torch.ones(1, dtype=torch.float64)
    torch.testing.assert_close(found.log_total + found.lowered, want.log_total)
    for a, b in zip(found.expectations(one), want.expectations(one), strict=True):
        torch.testing.assert_close(a, b)
    beyond = scaled_messages(chain, replace(lowering, interval=40))
    assert not torch.allclose(beyond.expectations(one)[0], want.expectations(one)[0])


def test_no_promise_where_there_is_none_to_give():
    chain = random_chain([4, 2], 3)
    assert find_lowering(chain) is not None
    for score, place in ((0, (0, 1, 2)), (1, (0, 1)), (2, 1), (3, 0)):
        for value in (torch.nan, 1e4):
            scores = [s.clone() for s in chain.scores]
            scores[score][place] = value
            assert find_lowering(Chain(*scores, chain.structure)) is None
    meta = Chain(*(s.to("meta") for s in chain.scores), Sequences(torch.empty(2, device="meta"), 4))
    assert find_lowering(meta) is None


def test_labels_that_never_meet_are_kept_apart(way):
    # From label 0 only 0, from label 1 only 1 can be reached; 1 falls behind by 15 nats a node
    # until its end outweighs that all at once. Sums rescaled by the better one would lose it.
    size = 80
    emissions = torch.zeros(1, size, 2, dtype=torch.float64)
    emissions[:, : size // 2, 1] = -15.0
    emissions[:, size // 2 :, 0] = -15.0
    transitions = torch.tensor([[0.0, -torch.inf], [-torch.inf, 0.0]], dtype=torch.float64)
    zeros = torch.zeros(2, dtype=torch.float64)
    chain = Chain(emissions, transitions, zeros, zeros, Sequences.of([size]))
    want = torch.tensor([-15.0 * size / 2], dtype=torch.float64) + np.log(2)
    torch.testing.assert_close(log_partition(chain), want)
    torch.testing.assert_close(marginals(chain), torch.full_like(emissions, 0.5))


def test_an_entity_of_unknown_type_is_not_lost(way):
    # Its type shows at the last of 400 tokens, where the other has gained 5 nats at each before.
    tags = SCHEMES["BIO"].bind(SCHEMES["BIO"].tags("AB"))  # O, B-A, I-A, B-B, I-B
    possible = torch.zeros(1, 400, 5, dtype=torch.bool)
    possible[0, 0, [1, 3]] = possible[0, 1:-1, [2, 4]] = possible[0, -1, 4] = True
    emissions = torch.zeros(1, 400, 5, dtype=torch.float64)
    emissions[0, 1:-1, 4] = -5.0
    rules = (torch.from_numpy(rule) for rule in (tags.transitions, tags.start, tags.end))
    scores = [torch.zeros(rule.shape).double().masked_fill(~rule, -torch.inf) for rule in rules]
    chain = Chain(emissions, *scores, Sequences.of([400])).only(possible)
    one = torch.ones(1, dtype=torch.float64)
    torch.testing.assert_close(log_partition(chain), -1990 * one)
    assert torch.equal(gradients(chain, one)[0][0, :, 3:].sum(1), one.expand(400))


@pytest.mark.parametrize("scale", [1.0, 5.0, 12.0])
@pytest.mark.parametrize("known", [0.1, 0.5, 0.9])
def test_known_labels_among_unknown_ones(way, scale, known):
    # Under BIOES, which takes three steps from any label to any other.
    rules = SCHEMES["BIOES"].bind(SCHEMES["BIOES"].tags("AB"))
    chain = random_chain([150, 40, 0], 9, scale=scale)
    rules = (torch.from_numpy(rule) for rule in (rules.transitions, rules.start, rules.end))
    scores = (
        (score / scale).masked_fill(~rule, -torch.inf)
        for score, rule in zip(chain.scores[1:], rules, strict=True)
    )
    chain = Chain(chain.emissions, *scores, chain.structure)
    legal = sample(chain, 1, torch.Generator().manual_seed(0))[:, 0]
    hidden = torch.rand(legal.shape, generator=torch.Generator().manual_seed(1)) > known
    possible = (legal.unsqueeze(2) == torch.arange(9)) | hidden.unsqueeze(2)
    bound = chain.only(possible)
    assert find_lowering(bound) is not None  # the fast ways are promised, and are taken
    want = log_messages(bound)
    torch.testing.assert_close(log_partition(bound), want.log_total)
    weights = torch.ones(3, dtype=torch.float64)
    found, (nodes, steps) = gradients(bound, weights), want.expectations(weights)
    torch.testing.assert_close(found[0], nodes[:-1, :, :-1].transpose(0, 1))
    torch.testing.assert_close(found[1], steps[:-1, :-1])


def test_a_document_without_a_possible_sequence(way):
    chain = random_chain([3, 2], 2)
    chain.emissions[0, 1] = -torch.inf
    assert log_partition(chain)[0] == -torch.inf
    assert log_partition(chain)[1].isfinite()
    for gradient in gradients(chain, torch.ones(2, dtype=torch.float64)):
        assert gradient.isfinite().all()
    assert not marginals(chain)[0].any()


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 0]])
def test_batches_without_nodes(way, lengths):
    chain = random_chain(lengths, 3)
    assert log_partition(chain).tolist() == [0.0] * len(lengths)
    for gradient in gradients(chain, torch.ones(len(lengths))):
        assert not gradient.any()


def test_padding_is_never_read(way):
    chain = random_chain([2, 4], 3)
    want = log_partition(chain)
    paths = random_paths(chain)
    probability = surprisal(chain, paths)
    for junk in (torch.nan, torch.inf, -torch.inf, 1e6):
        chain.emissions[0, 2:] = junk
        paths[0, 2:] = -1
        torch.testing.assert_close(log_partition(chain), want)
        torch.testing.assert_close(surprisal(chain, paths), probability)
        emissions, *rest = gradients(chain, torch.ones(2))
        assert not emissions[0, 2:].any()
        assert all(gradient.isfinite().all() for gradient in rest)


@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=5),
    n_labels=st.integers(1, 5),
    by_step=st.booleans(),
    extra=st.integers(0, 3),
    seed=st.integers(0, 1000),
)
@settings(max_examples=25, deadline=None)
def test_a_document_does_not_depend_on_its_batch(lengths, n_labels, by_step, extra, seed):
    batch = random_chain([*lengths, max(lengths) + extra], n_labels, seed, by_step=by_step)
    together, nodes = log_partition(batch), marginals(batch)
    for row, n in enumerate(lengths):
        transitions = batch.transitions
        if by_step:
            transitions = transitions[row : row + 1, : max(n - 1, 0)]
        scores = batch.emissions[row : row + 1, :n], transitions, batch.start, batch.end
        alone = Chain(*scores, Sequences.of([n]))
        torch.testing.assert_close(log_partition(alone), together[row : row + 1])
        torch.testing.assert_close(marginals(alone), nodes[row : row + 1, :n])


def test_single_precision(way):
    double = random_chain([40, 7, 30], 6, seed=3)
    single = Chain(*(score.float() for score in double.scores), double.structure)
    torch.testing.assert_close(
        log_partition(single), log_partition(double).float(), rtol=1e-6, atol=0
    )
    weights = torch.ones(3)
    for found, want in zip(gradients(single, weights), gradients(double, weights), strict=True):
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, want.float(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("label", [-1, 4])
def test_labels_that_there_are_not(way, label):
    with pytest.raises((IndexError, RuntimeError), match="out of"):
        surprisal(random_chain([2], 3), torch.tensor([[0, label]]))


def test_scores_are_left_as_they_are(way):
    chain = random_chain(LENGTHS, 3, forbid=0.2)
    before = [score.clone() for score in chain.scores]
    log_partition(chain)
    gradients(chain, torch.ones(5))
    for score, kept in zip(chain.scores, before, strict=True):
        torch.testing.assert_close(score, kept, rtol=0, atol=0)


@pytest.mark.parametrize("by_step", [False, True])
def test_no_value_is_read_on_the_way(by_step):
    chain = random_chain([3, 1], 4, by_step=by_step)
    scores = [score.to("meta").requires_grad_() for score in chain.scores]
    lengths = torch.empty(2, dtype=torch.int64, device="meta")
    meta = Chain(*scores, Sequences(lengths, 3))
    paths = torch.empty(2, 3, dtype=torch.int64, device="meta")
    (log_partition(meta) + surprisal(meta, paths)).sum().backward()
    assert [s.grad.shape for s in scores] == [s.shape for s in chain.scores]
    assert marginals(meta).shape == (2, 3, 4)


def test_which_way_is_taken(monkeypatch):
    taken = []
    run = compiled.CompiledPartition.forward
    monkeypatch.setattr(
        compiled.CompiledPartition, "forward", lambda *a: taken.append(len(a[1])) or run(*a)
    )
    plain, by_step = random_chain([3], 2), random_chain([3, 1], 2, by_step=True)
    log_partition(plain)
    log_partition(by_step)
    deep = Chain(*(score.float() for score in plain.scores), plain.structure)
    deep.emissions[0, 0, 0] -= 100.0  # beyond what exponentials in float32 can tell from 0
    log_partition(deep)
    assert taken == [1]
