"""What every registered encoder promises (invariants 1, 2, 4, 5 and 6 of the design)."""

import copy
import pickle

import pytest
import torch
from building import STRUCTURES_OF, build
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.structures import Sequences

N_IN = 4
LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=5)


@pytest.fixture
def encoder(node_encoder_name):
    return fresh(node_encoder_name)


@pytest.fixture
def sequence_encoder(sequence_encoder_name):
    return fresh(sequence_encoder_name)


@pytest.fixture
def causal_encoder(causal_encoder_name):
    return fresh(causal_encoder_name)


def fresh(name):
    torch.manual_seed(1)
    return build("encoder", name)(N_IN).eval()


def padded(documents, kind=Sequences):
    size = max((len(d) for d in documents), default=0)
    x = torch.zeros(len(documents), size, N_IN)
    for row, document in zip(x, documents, strict=True):
        row[: len(document)] = document
    return x, STRUCTURES_OF[kind]([len(d) for d in documents])


def documents_of(lengths, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(n, N_IN, generator=generator) for n in lengths]


def test_states_are_of_the_declared_width_and_zero_at_padding(encoder):
    x, structure = padded(documents_of([3, 0, 5]), encoder.structure)
    encoded = encoder(x, structure)
    assert encoded.states.shape == (3, 5, encoder.n_out)
    assert encoded.states[~structure.mask].abs().sum() == 0
    assert encoded.final.shape == (3, encoder.n_out)
    assert 0 < encoded.n_forward <= encoder.n_out


def test_documents_do_not_depend_on_their_batch(encoder):
    @settings(deadline=None, max_examples=15)
    @given(LENGTHS)
    def check(lengths):
        documents = documents_of(lengths)
        together = encoder(*padded(documents, encoder.structure))
        for i, document in enumerate(documents):
            alone = encoder(*padded([document], encoder.structure))
            torch.testing.assert_close(
                together.states[i, : len(document)], alone.states[0], atol=1e-5, rtol=0
            )
            torch.testing.assert_close(together.final[i], alone.final[0], atol=1e-5, rtol=0)

    check()


def test_a_document_of_nan_spoils_no_other(encoder):
    x, structure = padded(documents_of([5, 0, 3]), encoder.structure)
    want = encoder(x, structure).states
    x[0, 1] = torch.nan
    got = encoder(x, structure).states
    assert got[0].isnan().any()
    torch.testing.assert_close(got[1:], want[1:], atol=1e-6, rtol=0)


def test_inputs_may_be_laid_out_in_any_way(encoder):
    x, structure = padded(documents_of([5, 0, 3]), encoder.structure)
    view = x.mT.contiguous().mT
    assert not view.is_contiguous()
    want = encoder(x, structure).states
    torch.testing.assert_close(encoder(view, structure).states, want, atol=1e-6, rtol=0)


def test_nothing_comes_from_padding(encoder):
    x, structure = padded(documents_of([2, 5, 0]), encoder.structure)
    noise = torch.randn_like(x) * (~structure.mask).unsqueeze(-1)
    noisy = (x + noise).requires_grad_()
    encoded = encoder(noisy, structure)
    torch.testing.assert_close(encoded.states, encoder(x, structure).states, atol=1e-6, rtol=0)
    encoded.states.square().sum().backward()
    assert noisy.grad[~structure.mask].abs().sum() == 0
    assert noisy.grad[structure.mask].abs().sum() > 0


@pytest.mark.parametrize("lengths", [[], [0], [0, 0], [1], [1, 1]])
def test_empty_and_one_node_documents(encoder, lengths):
    x, structure = padded(documents_of(lengths), encoder.structure)
    encoder.train()
    encoded = encoder(x.requires_grad_(), structure)
    assert encoded.states.shape == (len(lengths), max(lengths, default=0), encoder.n_out)
    encoded.states.sum().backward()


def test_causality_is_as_declared(sequence_encoder):
    x, structure = padded(documents_of([4]))

    def sums(inputs):
        return sequence_encoder(inputs, structure).states.sum(-1)[0]

    jacobian = torch.autograd.functional.jacobian(sums, x)[:, 0].abs().sum(-1)  # (out, in)
    looks_ahead = bool((torch.triu(jacobian, diagonal=1) > 1e-9).any())
    assert looks_ahead != sequence_encoder.causal
    assert bool((torch.tril(jacobian, diagonal=-1).sum() > 0).item())


def test_step_by_step_equals_the_whole(causal_encoder):
    x, structure = padded(documents_of([5, 5, 5]))
    whole = causal_encoder(x, structure).states
    state = causal_encoder.start(3)
    for t in range(5):
        y, state = causal_encoder.step(x[:, t], state)
        torch.testing.assert_close(y, whole[:, t], atol=1e-5, rtol=0)
        if t == 2:  # rows may be shuffled on the way, as a beam does
            rows = torch.tensor([2, 0, 1])
            state, x, whole = causal_encoder.reorder(state, rows), x[rows], whole[rows]


def test_state_is_carried_from_chunk_to_chunk(causal_encoder):
    documents = documents_of([6, 3])
    whole = causal_encoder(*padded(documents)).states
    first = causal_encoder(*padded([d[:2] for d in documents]))
    second = causal_encoder(*padded([d[2:] for d in documents]), first.state)
    torch.testing.assert_close(second.states, whole[:, 2:], atol=1e-5, rtol=0)


def test_runs_without_a_device(node_encoder_name):
    encoder = build("encoder", node_encoder_name)(N_IN).to("meta")
    kind = encoder.structure
    with torch.device("meta"):
        x = torch.randn(3, 5, N_IN, requires_grad=True)
        if kind is Sequences:  # the lengths may be known to the device alone
            structure = Sequences(torch.empty(3, dtype=torch.int64), 5)
        else:
            structure = STRUCTURES_OF[kind]([5, 0, 3], device="meta")
        encoder.train()
        encoder(x, structure).states.sum().backward()
        assert x.grad.shape == x.shape


def test_copies_and_pickles_give_equal_states(encoder, node_encoder_name):
    x, structure = padded(documents_of([3, 4]), encoder.structure)
    before = encoder(x, structure).states
    for other in (copy.deepcopy(encoder), pickle.loads(pickle.dumps(encoder))):
        assert torch.equal(other(x, structure).states, before)
    fresh = pickle.loads(pickle.dumps(build("encoder", node_encoder_name)))(N_IN).eval()
    fresh.load_state_dict(encoder.state_dict())
    assert torch.equal(fresh(x, structure).states, before)


def test_parameters_have_names_that_thinc_does_not_use(encoder):
    last = {name.rpartition(".")[2] for name, _ in encoder.named_parameters()}
    assert last.isdisjoint({"W", "b", "E"})


def test_same_seed_same_weights(node_encoder_name):
    states = []
    for _ in range(2):
        torch.manual_seed(7)
        states.append(build("encoder", node_encoder_name)(N_IN).state_dict())
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
