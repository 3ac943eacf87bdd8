"""What every registered decoder promises."""

import copy
import pickle

import pytest
import torch
from building import build

from rnnpipe.schemes import SCHEMES
from rnnpipe.structures import Encoded, Sequences
from rnnpipe.types import Labels

WIDTH = 4
TYPES = ["A", "B"]
TAGS = Labels(SCHEMES["BIO"].tags(TYPES), SCHEMES["BIO"])
PLAIN = Labels(("x", "y", "z"))


def encode(lengths, seed=0):
    generator = torch.Generator().manual_seed(seed)
    structure = Sequences.of(lengths)
    states = torch.randn(len(lengths), structure.size, WIDTH, generator=generator)
    states = structure.blank(states)
    return Encoded(states.requires_grad_(), structure, WIDTH)


def gold_for(lengths, labels):
    """Legal under BIO: B of the first type, then outside."""
    size = max(lengths, default=0)
    gold = torch.full((len(lengths), size), -1)
    for row, n in zip(gold, lengths, strict=True):
        row[:n] = 0
        if n:
            row[0] = 1
    return gold


@pytest.fixture(params=[TAGS, PLAIN], ids=["tags", "plain"])
def labels(request):
    return request.param


@pytest.fixture
def node_decoder(node_decoder_name, labels):
    torch.manual_seed(1)
    decoder = build("decoder", node_decoder_name)(WIDTH, labels)
    with torch.no_grad():
        for p in decoder.parameters():
            p.add_(torch.randn_like(p))
    return decoder.eval()


def test_loss_is_the_sum_of_the_documents_losses(node_decoder, labels):
    lengths = [3, 0, 5, 1]
    encoded, gold = encode(lengths), gold_for(lengths, labels)
    whole = node_decoder.loss(encoded, gold)
    parts = [
        node_decoder.loss(
            Encoded(encoded.states[i : i + 1, :n], Sequences.of([n]), WIDTH), gold[i : i + 1, :n]
        )
        for i, n in enumerate(lengths)
    ]
    assert whole.shape == ()
    torch.testing.assert_close(whole, sum(parts), atol=1e-4, rtol=1e-5)


def test_predictions_do_not_depend_on_the_batch(node_decoder):
    lengths = [3, 0, 5, 1]
    encoded = encode(lengths)
    together = node_decoder.predict(encoded).ids
    assert together.shape == (4, 5)
    for i, n in enumerate(lengths):
        alone = Encoded(encoded.states[i : i + 1, :n], Sequences.of([n]), WIDTH)
        assert torch.equal(node_decoder.predict(alone).ids[0], together[i, :n])


def test_no_gradient_comes_from_padding_or_missing_labels(node_decoder, labels):
    lengths = [2, 4, 0]
    encoded, gold = encode(lengths), gold_for(lengths, labels)
    node_decoder.loss(encoded, gold).backward()
    assert encoded.states.grad[~encoded.mask].abs().sum() == 0
    assert encoded.states.grad[encoded.mask].abs().sum() > 0
    encoded.states.grad = None
    node_decoder.loss(encoded, torch.full_like(gold, -1)).backward()
    assert encoded.states.grad.abs().max() < 1e-5


@pytest.mark.parametrize("lengths", [[0], [0, 0]])
def test_empty_documents(node_decoder, labels, lengths):
    encoded = encode(lengths)
    loss = node_decoder.loss(encoded, gold_for(lengths, labels))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert node_decoder.predict(encoded).ids.shape == (len(lengths), 0)


@pytest.mark.parametrize("labels", [TAGS], ids=["tags"])
def test_tags_are_legal_under_their_scheme(node_decoder, labels):
    lengths = [6] * 40
    paths = node_decoder.predict(encode(lengths)).ids
    tag_set = labels.scheme.bind(labels.names)
    assert [tag_set.check(path.numpy()) for path in paths] == [None] * 40


def test_runs_without_a_device(node_decoder_name, labels):
    decoder = build("decoder", node_decoder_name)(WIDTH, labels).to("meta")
    with torch.device("meta"):
        states = torch.randn(3, 5, WIDTH, requires_grad=True)
        structure = Sequences(torch.empty(3, dtype=torch.int64), 5)
        gold = torch.empty(3, 5, dtype=torch.int64)
        decoder.loss(Encoded(states, structure, WIDTH), gold).backward()
        assert states.grad.shape == states.shape


def test_copies_and_pickles_predict_the_same(node_decoder):
    encoded = encode([3, 4])
    before = node_decoder.predict(encoded).ids
    for other in (copy.deepcopy(node_decoder), pickle.loads(pickle.dumps(node_decoder))):
        assert torch.equal(other.predict(encoded).ids, before)


def test_label_axes_name_what_runs_over_labels(decoder_name, labels):
    builder = build("decoder", decoder_name)
    bigger = Labels((*labels.names, "B-C", "I-C"), labels.scheme)
    small = builder(WIDTH, labels).state_dict()
    decoder = builder(WIDTH, bigger)
    for name, weights in decoder.state_dict().items():
        axes = decoder.label_axes.get(name, ())
        for axis, (old, new) in enumerate(zip(small[name].shape, weights.shape, strict=True)):
            assert (axis in axes) == (old != new), (name, axis)


def test_documents_are_labelled_and_learnt(document_decoder_name):
    torch.manual_seed(1)
    decoder = build("decoder", document_decoder_name)(WIDTH, PLAIN)
    x = torch.randn(6, WIDTH, requires_grad=True)
    gold = torch.arange(6) % 3
    if not decoder.exclusive:
        gold = torch.nn.functional.one_hot(gold, 3).float()
    whole = decoder.loss(x, gold)
    parts = sum(decoder.loss(x[i : i + 1], gold[i : i + 1]) for i in range(6))
    torch.testing.assert_close(whole, parts)
    whole.backward()
    assert x.grad.abs().sum() > 0
    prediction = decoder.predict(x)
    assert prediction.probabilities.shape == (6, 3)
    assert decoder.predict(x[:0]).probabilities.shape == (0, 3)


def test_document_decoders_run_without_a_device(document_decoder_name):
    decoder = build("decoder", document_decoder_name)(WIDTH, PLAIN).to("meta")
    with torch.device("meta"):
        x = torch.randn(4, WIDTH, requires_grad=True)
        gold = torch.empty(4, dtype=torch.int64) if decoder.exclusive else torch.empty(4, 3)
        decoder.loss(x, gold).backward()
        assert x.grad.shape == x.shape


def test_copies_and_pickles_of_document_decoders_predict_the_same(document_decoder_name):
    torch.manual_seed(1)
    decoder, x = build("decoder", document_decoder_name)(WIDTH, PLAIN), torch.randn(4, WIDTH)
    before = decoder.predict(x).probabilities
    for other in (copy.deepcopy(decoder), pickle.loads(pickle.dumps(decoder))):
        assert torch.equal(other.predict(x).probabilities, before)
