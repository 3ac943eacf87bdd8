"""What every registered decoder that builds trees promises."""

import copy
import pickle

import pytest
import torch
from helpers.building import build

from rnnpipe.contracts.types import Labels
from rnnpipe.structures import Encoded, Sequences

WIDTH, LABELS = 4, Labels(("(none)", "x", "y"))
LENGTHS = [3, 0, 5, 1, 2]
#: Gold constituents: first token, end and class; of the whole document too. The last has none.
GOLD = [[(0, 3, 1), (1, 3, 2)], [], [(0, 5, 0), (0, 3, 1)], [(0, 1, 2)], []]


@pytest.fixture
def decoder(tree_decoder_name):
    torch.manual_seed(1)
    decoder = build("decoder", tree_decoder_name)(WIDTH, LABELS)
    with torch.no_grad():
        for p in decoder.parameters():
            p.add_(torch.randn_like(p))
    return decoder.eval()


def encode(lengths=LENGTHS):
    structure = Sequences.of(lengths)
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(len(lengths), structure.size, WIDTH, generator=generator)
    return Encoded(structure.blank(states).requires_grad_(), structure, WIDTH)


def alone(encoded, i, n):
    return Encoded(encoded.states[i : i + 1, :n], Sequences.of([n]), WIDTH)


def gold_of(documents=GOLD):
    gold = torch.full((len(documents), max(map(len, documents)), 3), -1)
    for row, spans in zip(gold, documents, strict=True):
        if spans:
            row[: len(spans)] = torch.tensor(spans)
    return gold


def test_it_declares_what_it_builds(decoder):
    assert decoder.builds_trees and not decoder.labels_nodes and not decoder.labels_documents
    shapes = {name: p.shape for name, p in decoder.named_parameters()}
    for name, axes in decoder.label_axes.items():
        assert all(shapes[name][axis] == len(LABELS) for axis in axes)


def test_predictions_are_binary_trees(decoder):
    ids = decoder.predict(encode()).ids
    assert ids.shape == (5, 9, 3) and ids.dtype == torch.int64
    for nodes, n in zip(ids.tolist(), LENGTHS, strict=True):
        nodes = [tuple(node) for node in nodes if node[0] >= 0]
        spans = [(start, end) for start, end, _ in nodes]
        assert len(set(spans)) == len(spans) == max(0, 2 * n - 1)
        assert spans == sorted(spans, key=lambda span: (span[1], -span[0]))  # post-order
        assert not any(a < c < b < d for a, b in spans for c, d in spans)  # none crosses another
        assert all(0 <= number < len(LABELS) for _, _, number in nodes)


def test_predictions_do_not_depend_on_the_batch(decoder):
    encoded = encode()
    together = decoder.predict(encoded).ids
    for i, n in enumerate(LENGTHS):
        ids = decoder.predict(alone(encoded, i, n)).ids[0]
        assert torch.equal(ids, together[i, : len(ids)])


def test_loss_is_the_sum_of_the_documents_losses(decoder):
    encoded, gold = encode(), gold_of()
    whole = decoder.loss(encoded, gold)
    parts = [decoder.loss(alone(encoded, i, n), gold[i : i + 1]) for i, n in enumerate(LENGTHS)]
    assert whole.shape == ()
    torch.testing.assert_close(whole, sum(parts), atol=1e-4, rtol=1e-5)


def test_no_gradient_comes_from_padding_or_missing_annotation(decoder):
    encoded = encode()
    decoder.loss(encoded, gold_of()).backward()
    gradient = encoded.states.grad
    assert gradient[~encoded.mask].abs().sum() == 0
    assert gradient[4].abs().sum() == 0  # has no annotation
    assert gradient[0].abs().sum() > 0
    encoded.states.grad = None
    decoder.loss(encoded, torch.full_like(gold_of(), -1)).backward()
    assert encoded.states.grad.abs().max() == 0


@pytest.mark.parametrize("lengths", [[0], [0, 0], [1]])
def test_empty_documents(decoder, lengths):
    encoded = encode(lengths)
    loss = decoder.loss(encoded, torch.full((len(lengths), 0, 3), -1))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert decoder.predict(encoded).ids.shape == (len(lengths), lengths[0], 3)


def test_copies_and_pickles_predict_the_same(decoder):
    encoded = encode()
    before = decoder.predict(encoded).ids
    for other in (copy.deepcopy(decoder), pickle.loads(pickle.dumps(decoder))):
        assert torch.equal(other.predict(encoded).ids, before)
