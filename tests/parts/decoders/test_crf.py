"""The CRF decoder: what it adds to linear chains."""

import copy
import pickle

import numpy as np
import pytest
import torch
from helpers.chain_oracle import oracles

from rnnpipe.contracts.schemes import SCHEMES
from rnnpipe.contracts.types import Labels
from rnnpipe.errors import LabelError, SettingsError, StructureError
from rnnpipe.parts.decoders.crf import CRF
from rnnpipe.parts.decoders.sequence import SequenceDecoder
from rnnpipe.structures import Encoded, Sequences

BIO = Labels(SCHEMES["BIO"].tags(["A"]), SCHEMES["BIO"])  # O, B-A, I-A
BIOES = Labels(SCHEMES["BIOES"].tags(["A"]), SCHEMES["BIOES"])
PLAIN = Labels(("x", "y", "z"))
KINDS = [{}, {"transitions": "states"}, {"transitions": "states", "rank": 2}]
WIDTH = 3


def make(labels=BIO, dtype=torch.float64, **settings):
    torch.manual_seed(0)
    decoder = CRF(**settings)(WIDTH, labels).to(dtype)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.normal_()
    return decoder


def encode(lengths, dtype=torch.float64, width=WIDTH):
    structure = Sequences.of(lengths)
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(len(lengths), structure.size, width, generator=generator, dtype=dtype)
    return Encoded(structure.blank(states).requires_grad_(), structure, width)


def truth(decoder, x):
    with torch.no_grad():
        return oracles(decoder.chain(x))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("labels", [BIO, PLAIN])
def test_loss_is_the_surprise_at_the_gold_labels(kind, labels):
    decoder, x = make(labels, **kind), encode([3, 0, 2])
    gold = torch.tensor([[0, 1, 2], [-1, -1, -1], [1, 2, -1]])
    want = sum(
        oracle.log_partition - oracle.scores[tuple(row[: oracle.length])]
        for oracle, row in zip(truth(decoder, x), gold.tolist(), strict=True)
    )
    assert decoder.loss(x, gold).item() == pytest.approx(want)


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_labels_are_summed_out(kind):
    decoder, x = make(**kind), encode([4, 2, 1])
    gold = torch.tensor([[0, -1, 2, -1], [-1, -1, -1, -1], [1, -1, -1, -1]])
    possible = (gold.unsqueeze(2) == torch.arange(3)) | (gold < 0).unsqueeze(2)
    possible[1, 0] = torch.tensor([True, True, False])  # O or B-A
    want = 0.0
    for row, oracle in enumerate(truth(decoder, x)):
        fit = [p for p in oracle.scores if all(possible[row, t, y] for t, y in enumerate(p))]
        want -= np.log(sum(oracle.probability(path) for path in fit))
    assert decoder.loss(x, possible).item() == pytest.approx(want)
    possible[1, 0] = True
    torch.testing.assert_close(decoder.loss(x, gold), decoder.loss(x, possible))


def test_a_document_without_gold_labels_teaches_nothing():
    decoder, x = make(), encode([3])
    loss = decoder.loss(x, torch.full((1, 3), -1))
    loss.backward()
    assert loss.item() == pytest.approx(0.0, abs=1e-9)
    torch.testing.assert_close(x.states.grad, torch.zeros_like(x.states))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_finite_differences(kind):
    decoder, x = make(**kind), encode([3, 0, 2])
    gold = torch.tensor([[0, -1, 2], [-1, -1, -1], [1, 2, 0]])
    parameters = [x.states, *decoder.parameters()]
    assert torch.autograd.gradcheck(lambda *_: decoder.loss(x, gold), parameters)
    gold[0, 1] = 1
    assert torch.autograd.gradcheck(lambda *_: decoder.loss(x, gold), parameters)


@pytest.mark.parametrize("scheme", ["BIO", "IOB1", "BIOES", "BMES", "IO"])
def test_what_the_scheme_forbids_has_no_probability(scheme):
    tags = SCHEMES[scheme].tags(["A"])
    x = encode([4, 1, 3])
    free = make(Labels(tags, SCHEMES[scheme]), constrained=False)
    bound = make(Labels(tags, SCHEMES[scheme]))
    for wild, legal in zip(truth(free, x), truth(bound, x), strict=True):
        for path, score in legal.scores.items():
            names = [tags[label] for label in path]
            if SCHEMES[scheme].check(names) is None:
                assert score == pytest.approx(wild.scores[path])
            else:
                assert score == -np.inf
    paths = bound.sample(x, 200).flatten(0, 1).tolist()
    lengths = [n for n in (4, 1, 3) for _ in range(200)]
    paths += bound.predict(x).ids.tolist()
    for path, n in zip(paths, [*lengths, 4, 1, 3], strict=True):
        assert SCHEMES[scheme].check([tags[label] for label in path[:n]]) is None


def test_illegal_gold_labels_are_found_and_cost_infinity():
    decoder, x = make(BIOES), encode([3, 3])
    legal, illegal = np.array([0, 4, 0]), np.array([0, 1, 0])  # O S-A O, O B-A O
    assert decoder.first_illegal([legal, legal]) is None
    row, violation = decoder.first_illegal([legal, illegal])
    assert (row, violation.position, violation.previous, violation.tag) == (1, 2, "B-A", "O")
    assert make(BIOES, constrained=False).first_illegal([illegal]) is None
    assert make(PLAIN).first_illegal([illegal]) is None
    loss = decoder.loss(x, torch.from_numpy(np.stack([legal, illegal])))
    assert loss.item() == torch.inf


def test_methods_of_a_sequence_decoder():
    decoder, x = make(), encode([3, 0, 2])
    assert isinstance(decoder, SequenceDecoder)
    ranked = [oracle.ranked() for oracle in truth(decoder, x)]
    paths, logs = decoder.n_best(x, 2)
    assert decoder.predict(x).ids.equal(paths[:, 0])
    torch.testing.assert_close(decoder.path_log_probability(x, paths[:, 0]), logs[:, 0])
    assert logs[0, 1].item() == pytest.approx(ranked[0][1][1])
    torch.testing.assert_close(decoder.marginals(x).sum(-1), x.mask.double())
    # Entities found in the best paths go back in as they come out.
    found = decoder.tags.decode_batch(paths[:, 0].numpy(), np.array([3, 0, 2]))
    spans = decoder.segment_log_probabilities(x, *torch.from_numpy(found.T))
    assert spans.shape == (len(found),) and (spans <= 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_batches_without_nodes(kind, lengths):
    decoder, x = make(**kind), encode(lengths)
    loss = decoder.loss(x, torch.zeros(len(lengths), 0, dtype=torch.int64))
    loss.backward()
    assert loss.item() == 0.0
    assert decoder.predict(x).ids.shape == (len(lengths), 0)
    assert decoder.marginals(x).shape == (len(lengths), 0, 3)
    none = torch.zeros(0, dtype=torch.int64)
    assert decoder.segment_log_probabilities(x, none, none, none, none).shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
def test_autocast_leaves_the_sums_in_single_precision(kind):
    decoder = make(dtype=torch.float32, **kind)
    x = encode([40, 3], torch.float32)
    gold = decoder.predict(x).ids
    with torch.autocast("cpu", torch.bfloat16):
        assert decoder.output(x.states).dtype == torch.bfloat16
        chain, loss = decoder.chain(x), decoder.loss(x, gold)
    assert {score.dtype for score in chain.scores} == {torch.float32}
    assert loss.dtype == torch.float32
    exact = [score.detach().double() for score in chain.scores]
    want = loss_by_loops(type(chain)(*exact, chain.structure), gold)
    torch.testing.assert_close(loss.double(), want, rtol=1e-5, atol=1e-4)
    loss.backward()
    assert all(p.grad.isfinite().all() for p in decoder.parameters())


def loss_by_loops(chain, gold):
    """Sum by sum over labels, for documents too long to enumerate."""
    total = torch.zeros((), dtype=torch.float64)
    for row, n in enumerate(chain.structure.lengths.tolist()):
        steps = chain.transitions[row] if chain.by_step else [chain.transitions] * n
        reached = chain.start + chain.emissions[row, 0]
        score = reached[gold[row, 0]]
        for t in range(1, n):
            reached = (reached[:, None] + steps[t - 1]).logsumexp(0) + chain.emissions[row, t]
            score = score + steps[t - 1][gold[row, t - 1], gold[row, t]]
            score = score + chain.emissions[row, t, gold[row, t]]
        total += (reached + chain.end).logsumexp(0) - score - chain.end[gold[row, n - 1]]
    return total


@pytest.mark.parametrize("kind", KINDS)
def test_no_value_is_read_in_a_training_step(kind):
    decoder = make(dtype=torch.float32, **kind).to("meta")
    structure = Sequences(torch.empty(2, dtype=torch.int64, device="meta"), 4)
    x = Encoded(torch.empty(2, 4, WIDTH, device="meta", requires_grad=True), structure, WIDTH)
    decoder.loss(x, torch.empty(2, 4, dtype=torch.int64, device="meta")).backward()
    decoder.loss(x, torch.empty(2, 4, 3, dtype=torch.bool, device="meta")).backward()
    assert x.states.grad.shape == (2, 4, WIDTH)
    assert decoder.predict(x).ids.shape == (2, 4)


@pytest.mark.parametrize("kind", KINDS)
def test_label_axes_name_every_axis_that_runs_over_labels(kind):
    small, large = make(PLAIN, **kind), make(Labels(tuple("abcde")), **kind)
    for name, parameter in small.named_parameters():
        grown = large.get_parameter(name)
        axes = [
            i for i, (a, b) in enumerate(zip(parameter.shape, grown.shape, strict=True)) if a != b
        ]
        assert tuple(axes) == small.label_axes.get(name, ())
    assert small.label_axes.keys() <= dict(small.named_parameters()).keys()


def test_only_parameters_are_stored():
    decoder = make()
    assert decoder.state_dict().keys() == dict(decoder.named_parameters()).keys()
    for twin in (pickle.loads(pickle.dumps(decoder)), copy.deepcopy(decoder)):
        x = encode([3, 2])
        assert twin.predict(x).ids.equal(decoder.predict(x).ids)
    assert pickle.loads(pickle.dumps(CRF()))(WIDTH, BIO).output.in_features == WIDTH


def test_a_rank_without_states_is_refused():
    with pytest.raises(SettingsError) as error:
        CRF(rank=3)
    assert str(error.value) == (
        'rank: expected no rank with transitions = "learned", got 3. Remove the setting.'
    )


def test_pooled_documents_are_refused():
    with pytest.raises(
        StructureError, match="expected the states of an encoder, one for each node"
    ):
        make().predict(torch.zeros(2, WIDTH))


def test_entities_need_a_scheme():
    one = torch.zeros(1, dtype=torch.int64)
    with pytest.raises(LabelError, match="expected labels with a tag scheme, got no scheme"):
        make(PLAIN).segment_log_probabilities(encode([2]), one, one, one + 1, one)
