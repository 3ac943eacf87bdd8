"""Every recurrent encoder against the oracle, and what it promises about batches and states."""

import copy
import pickle

import pytest
import torch
from helpers.encoder_oracle import (
    ALL,
    BIDIRECTIONAL,
    FORWARD,
    builder,
    documents_of,
    encode,
    make,
    padded,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.contracts.types import Encoder, Layered, Stepper
from rnnpipe.errors import StructureError
from rnnpipe.structures import Sequences

STACKS = [
    {},
    {"depth": 3},
    {"depth": 2, "skip": True},
    {"depth": 3, "residual": True},
    {"depth": 2, "skip": True, "residual": True, "layer_norm": True},
]


def structure_of(documents, where="host"):
    structure = Sequences.of([len(d) for d in documents])
    return structure if where == "host" else Sequences(structure.lengths, structure.size)


@pytest.mark.parametrize("case", ALL)
def test_equal_to_the_oracle(case):
    encoder = make(case, depth=2, skip=True)
    documents = documents_of([4, 0, 6, 1])
    for grad in (True, False):  # each has fast ways of its own
        with torch.set_grad_enabled(grad):
            encoded = encoder(padded(documents), structure_of(documents))
        for i, document in enumerate(documents):
            states, after = encode(encoder, document)
            torch.testing.assert_close(encoded.states[i, : len(document)], states)
            if encoder.causal:
                for layer, expected in zip(encoded.state, after, strict=True):
                    for mine, theirs in zip(layer, expected, strict=True):
                        torch.testing.assert_close(mine[i], theirs)


@pytest.mark.parametrize("case", ["LSTM", "BiLSTM", "BiGRU", "PeepholeLSTM"])
@pytest.mark.parametrize("stack", STACKS, ids=str)
def test_stacks_are_equal_to_the_oracle(case, stack):
    encoder = make(case, **stack)
    documents = documents_of([2, 5])
    states = encoder(padded(documents), structure_of(documents)).states
    for i, document in enumerate(documents):
        torch.testing.assert_close(states[i, : len(document)], encode(encoder, document)[0])


@pytest.mark.parametrize("case", ["RNN", "BiGRU", "LSTM", "BiLSTM", "CIFG", "BiPeepholeLSTM"])
def test_documents_do_not_depend_on_their_batch_nor_on_padding(case):
    encoder = make(case, depth=2)

    @settings(deadline=None, max_examples=20)
    @given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.integers(0, 3), st.data())
    def check(lengths, extra, data):
        documents = documents_of(lengths)
        order = data.draw(st.permutations(range(len(documents))))
        shuffled = [documents[k] for k in order]
        size = max(lengths) + extra
        x = padded(shuffled, size, fill=9.0).requires_grad_()
        structure = Sequences(torch.tensor([len(d) for d in shuffled]), size)
        encoded = encoder(x, structure)
        assert not encoded.states[~structure.mask].any()
        encoded.states.square().sum().backward()
        assert not x.grad[~structure.mask].any()
        for row, k in enumerate(order):
            alone = encoder(documents[k][None], Sequences.of([len(documents[k])]))
            torch.testing.assert_close(encoded.states[row, : lengths[k]], alone.states[0])
            torch.testing.assert_close(encoded.final[row], alone.final[0])

    check()


@pytest.mark.parametrize("case", ALL)
@pytest.mark.parametrize("lengths", [[], [0], [0, 0]], ids=str)
def test_nothing_to_read(case, lengths):
    encoder = make(case, depth=2).train()
    x = torch.zeros(len(lengths), 0, 3, dtype=torch.float64)
    encoded = encoder(x, Sequences.of(lengths))
    assert encoded.states.shape == (len(lengths), 0, encoder.n_out)
    assert encoded.final.shape == (len(lengths), encoder.n_out)
    encoded.states.sum().backward()
    assert all(p.grad is not None and not p.grad.any() for p in encoder.parameters())


def test_an_empty_document_keeps_the_state_it_began_with():
    encoder = make("LSTM")
    state = tuple(tuple(torch.randn(2, 4).double() for _ in range(2)) for _ in range(1))
    documents = documents_of([3, 0])
    after = encoder(padded(documents), structure_of(documents), state).state
    for before, now in zip(state[0], after[0], strict=True):
        assert torch.equal(before[1], now[1])
        assert not torch.equal(before[0], now[0])


@pytest.mark.parametrize("case", ALL)
def test_what_a_state_may_depend_on(case):
    encoder = make(case, width=16)
    structure = Sequences.of([5])
    jacobian = torch.autograd.functional.jacobian(
        lambda x: encoder(x, structure).states[0].sum(-1), torch.randn(1, 5, 3).double()
    )
    reached = jacobian[:, 0].abs().sum(-1) > 0  # (state, node)
    assert reached.tril().equal(torch.ones(5, 5).bool().tril())
    assert reached.triu(1).any() != encoder.causal
    assert isinstance(encoder, Encoder)
    assert isinstance(encoder, Stepper) == encoder.causal


def test_the_halves_of_a_bidirectional_encoder():
    encoder = make("BiLSTM")
    x, structure = torch.randn(1, 5, 3).double(), Sequences.of([5])
    encoded = encoder(x, structure)
    assert (encoder.n_out, encoded.n_forward) == (8, 4)
    changed = x.clone()
    changed[0, 4] += 1
    states = encoder(changed, structure).states
    assert torch.equal(states[0, :4, :4], encoded.states[0, :4, :4])
    assert (states[0, :4, 4:] != encoded.states[0, :4, 4:]).all()


@pytest.mark.parametrize("case", FORWARD)
def test_step_by_step_equals_the_whole(case):
    encoder = make(case, depth=3, skip=True, residual=True)
    x = torch.randn(3, 5, 3).double()
    whole = encoder(x, Sequences.of([5] * 3))
    state = encoder.start(3)
    for t in range(5):
        y, state = encoder.step(x[:, t], state)
        torch.testing.assert_close(y, whole.states[:, t])
    for mine, theirs in zip(state, whole.state, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            torch.testing.assert_close(a, b)


@pytest.mark.parametrize("case", FORWARD)
def test_chunk_by_chunk_equals_the_whole(case):
    encoder = make(case, depth=2)
    documents = documents_of([7, 2, 5])
    whole = encoder(padded(documents), structure_of(documents))
    state = None
    for begin, end in [(0, 3), (3, 3), (3, 4), (4, 7)]:
        chunk = [d[begin:end] for d in documents]
        encoded = encoder(padded(chunk), structure_of(chunk), state)
        for i, part in enumerate(chunk):
            torch.testing.assert_close(
                encoded.states[i, : len(part)], whole.states[i, begin : begin + len(part)]
            )
        state = encoded.state
    for mine, theirs in zip(state, whole.state, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            torch.testing.assert_close(a, b)


@pytest.mark.parametrize("case", ["LSTM", "GRU"])
def test_gradients_flow_through_a_carried_state(case):
    encoder = make(case, depth=2)
    x = torch.randn(1, 4, 3).double().requires_grad_()
    first = encoder(x[:, :2], Sequences.of([2]))
    last = encoder(x[:, 2:], Sequences.of([2]), first.state).states[:, -1]
    (chunked,) = torch.autograd.grad(last.sum(), x)
    (whole,) = torch.autograd.grad(encoder(x, Sequences.of([4])).states[:, -1].sum(), x)
    torch.testing.assert_close(chunked, whole)


def test_reorder_takes_rows_of_every_part_of_the_state():
    encoder = make("LSTM", depth=2)
    _, state = encoder.step(torch.randn(3, 3).double(), encoder.start(3))
    rows = torch.tensor([2, 2, 0, 1])
    for layer, old in zip(encoder.reorder(state, rows), state, strict=True):
        for part, before in zip(layer, old, strict=True):
            assert torch.equal(part, before[rows])


def test_a_bidirectional_encoder_refuses_a_state():
    encoder = make("BiLSTM")
    with pytest.raises(StructureError) as error:
        encoder(torch.zeros(1, 1, 3).double(), Sequences.of([1]), make("LSTM").start(1))
    assert str(error.value) == (
        "Bidirectional encoder: expected no state, since its backward half starts at the end of "
        "a document, got 'tuple'. Use a causal encoder, such as rnnpipe.LSTM.v1, to continue "
        "from a state."
    )


@pytest.mark.parametrize("case", ALL)
def test_gradients_are_right(case):
    encoder = make(case, n_in=2, width=2, depth=2)
    names, parameters = zip(*encoder.named_parameters(), strict=True)
    structure = Sequences.of([2, 0, 3])

    def run(x, *values):
        weights = dict(zip(names, values, strict=True))
        encoded = torch.func.functional_call(encoder, weights, (x, structure))
        return encoded.states, *([encoded.state[0][-1]] if encoder.causal else [])

    x = torch.randn(3, 3, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(run, (x, *parameters), fast_mode=True)


@pytest.mark.parametrize("case", ALL)
@pytest.mark.parametrize("where", ["host", "device"])
def test_runs_without_a_device(case, where):
    encoder = make(case).to("meta")
    structure = Sequences.of([2, 0, 1], device="meta")
    if where == "device":
        structure = Sequences(structure.lengths, structure.size)
    x = torch.zeros(3, 2, 3, dtype=torch.float64, device="meta").requires_grad_()
    encoded = encoder(x, structure)
    (encoded.states.sum() + encoded.final.sum()).backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize("case", ["GRU", "BiLSTM"])
def test_every_setting_runs_without_a_device(case):
    options = {"depth": 2, "dropout": 0.5, "locked": True, "recurrent_dropout": 0.2}
    layers = {"skip": True, "residual": True, "layer_norm": True}
    encoder = make(case, **options, **layers).train().to("meta")
    x = torch.zeros(3, 2, 3, dtype=torch.float64, device="meta").requires_grad_()
    encoder(x, Sequences.of([2, 0, 1], device="meta")).states.sum().backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize("case", [*FORWARD, "BiLSTM", "BiGRU"])
def test_half_precision_products(case):
    encoder = make(case, dtype=torch.float32, depth=2, layer_norm="Peephole" in case)
    documents = documents_of([6, 0, 3], dtype=torch.float32)
    x, structure = padded(documents).requires_grad_(), structure_of(documents)
    exact = encoder(x, structure).states
    for grad in (True, False):
        with torch.autocast("cpu", dtype=torch.bfloat16), torch.set_grad_enabled(grad):
            encoded = encoder(x, structure)
            assert encoded.states.dtype == torch.float32
            torch.testing.assert_close(encoded.states, exact, atol=0.1, rtol=0)
            if encoder.causal:
                again = encoder(x.bfloat16(), structure, encoded.state)
                y, _ = encoder.step(x[:, 0], again.state)
                assert y.dtype == again.states.dtype == torch.float32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states = encoder(x, structure).states
    states.square().sum().backward()
    assert all(p.grad.dtype == torch.float32 and p.grad.any() for p in encoder.parameters())


@pytest.mark.parametrize("case", ALL)
def test_copies_and_pickles_are_equal(case):
    encoder = make(case, depth=2)
    documents = documents_of([3, 1])
    x, structure = padded(documents), structure_of(documents)
    before = encoder(x, structure).states
    twin = pickle.loads(pickle.dumps(builder(case, depth=2)))(3).double()
    twin.load_state_dict(encoder.state_dict())
    for other in (copy.deepcopy(encoder), pickle.loads(pickle.dumps(encoder)), twin.eval()):
        assert torch.equal(other(x, structure).states, before)


def test_there_is_a_bidirectional_encoder_for_every_forward_one():
    assert len(BIDIRECTIONAL) == len(FORWARD) == len(ALL) / 2


@pytest.mark.parametrize("stack", [{}, {"skip": True}, {"residual": True}], ids=str)
def test_a_layers_states_are_those_of_an_encoder_that_ends_there(stack):
    encoder = make("LSTM", depth=3, **stack)
    documents = documents_of([3, 0, 5])
    x, structure = padded(documents), structure_of(documents)
    begin = encoder(x, structure).state
    layers = encoder.encode_layers(x, structure, begin)
    assert isinstance(encoder, Layered)
    assert len(layers) == 3
    for depth, encoded in enumerate(layers, start=1):
        shallow = make("LSTM", depth=depth, **(stack if depth > 1 else {}))
        own = shallow.state_dict()
        shallow.load_state_dict({k: v for k, v in encoder.state_dict().items() if k in own})
        torch.testing.assert_close(
            encoded.states, shallow(x, structure, begin[:depth]).states, atol=1e-6, rtol=0
        )
        assert encoded.state is layers[-1].state
    assert torch.equal(layers[-1].states, encoder(x, structure, begin).states)
