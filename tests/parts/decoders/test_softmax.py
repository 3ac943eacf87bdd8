"""Independent labels: the softmax decoder, and the sigmoid decoder."""

import math

import numpy as np
import pytest
import torch
from helpers.chain_oracle import oracles

from rnnpipe.contracts.schemes import SCHEMES
from rnnpipe.contracts.types import Labels
from rnnpipe.errors import SettingsError, StructureError
from rnnpipe.parts.decoders.sequence import SequenceDecoder
from rnnpipe.parts.decoders.sigmoid import Sigmoid
from rnnpipe.parts.decoders.softmax import Softmax
from rnnpipe.structures import Encoded, Sequences

BIO = Labels(SCHEMES["BIO"].tags(["A"]), SCHEMES["BIO"])
PLAIN = Labels(("x", "y", "z"))
WIDTH = 3


def make(registered, labels=PLAIN, dtype=torch.float64, **settings):
    torch.manual_seed(0)
    decoder = registered(**settings)(WIDTH, labels).to(dtype)
    with torch.no_grad():
        decoder.output.weight.normal_(std=2.0)
    return decoder


def encode(lengths):
    structure = Sequences.of(lengths)
    generator = torch.Generator().manual_seed(0)
    shape = (len(lengths), structure.size, WIDTH)
    states = torch.randn(shape, generator=generator, dtype=torch.float64)
    return Encoded(structure.blank(states).requires_grad_(), structure, WIDTH)


def pooled(n=4):
    return torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def cross_entropy(decoder, vector, target, smoothing=0.0, weights=(1.0, 1.0, 1.0)):
    """Of one node, term by term: ``target`` is a distribution over the labels."""
    logits = decoder.output(vector).tolist()
    total = math.log(sum(map(math.exp, logits)))
    smooth = [(1 - smoothing) * p + smoothing / len(logits) for p in target]
    return sum(w * p * (total - z) for w, p, z in zip(weights, smooth, logits, strict=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", [None, {"y": 3.0}])
def test_loss_is_the_sum_over_labelled_nodes(smoothing, weights):
    decoder = make(Softmax, label_smoothing=smoothing, class_weights=weights)
    x = encode([3, 0, 2])
    gold = torch.tensor([[0, -1, 1], [1, 1, 1], [2, 1, 0]])  # the second document has no nodes
    factors = (1.0, 3.0, 1.0) if weights else (1.0, 1.0, 1.0)
    nodes = [(0, 0, 0), (0, 2, 1), (2, 0, 2), (2, 1, 1)]
    want = sum(
        cross_entropy(decoder, x.states[i, t], np.eye(3)[label], smoothing, factors)
        for i, t, label in nodes
    )
    assert decoder.loss(x, gold).item() == pytest.approx(want)
    possible = gold.unsqueeze(2) == torch.arange(3)
    possible[gold < 0] = True
    assert decoder.loss(x, possible).item() == pytest.approx(want)
    truths = possible.double().masked_fill((gold < 0).unsqueeze(2), torch.nan)
    assert decoder.loss(x, truths).item() == pytest.approx(want)


def test_any_of_the_possible_labels_counts():
    decoder, x = make(Softmax), encode([1])
    p = decoder.output(x.states[0, 0]).softmax(-1).tolist()
    loss = decoder.loss(x, torch.tensor([[[True, False, True]]]))
    assert loss.item() == pytest.approx(-math.log(p[0] + p[2]))


def test_documents_and_expected_losses():
    decoder, x = make(Softmax), pooled(3)
    targets = np.array([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0], [math.nan] * 3])
    want = sum(cross_entropy(decoder, x[i], targets[i]) for i in range(2))
    assert decoder.loss(x, torch.from_numpy(targets)).item() == pytest.approx(want)
    gold = torch.tensor([2, -1, 0])
    want = sum(cross_entropy(decoder, x[i], np.eye(3)[gold[i]]) for i in (0, 2))
    assert decoder.loss(x, gold).item() == pytest.approx(want)
    found = decoder.predict(x)
    torch.testing.assert_close(found.probabilities.sum(-1), torch.ones(3, dtype=torch.float64))
    assert found.ids.equal(found.probabilities.argmax(-1))


@pytest.mark.parametrize("form", ["ids", "possible", "truths"])
def test_gradients_are_those_of_finite_differences(form):
    decoder = make(Softmax, label_smoothing=0.1, class_weights={"z": 2.0})
    x = encode([3, 0, 2])
    gold = torch.tensor([[0, -1, 1], [1, 1, 1], [2, 1, 0]])
    possible = gold.unsqueeze(2) == torch.arange(3)
    possible[0, 0, 1] = True
    gold = {"ids": gold, "possible": possible, "truths": possible.double() / 2}[form]
    parameters = [x.states, *decoder.parameters()]
    assert torch.autograd.gradcheck(lambda *_: decoder.loss(x, gold), parameters)


def test_nodes_without_a_scheme_are_labelled_one_by_one():
    decoder, x = make(Softmax), encode([3, 0, 2])
    found = decoder.predict(x)
    probabilities = decoder.output(x.states).softmax(-1) * x.mask.unsqueeze(2)
    torch.testing.assert_close(found.probabilities, probabilities.detach())
    assert found.ids.equal(probabilities.argmax(-1) * x.mask)
    torch.testing.assert_close(decoder.marginals(x), found.probabilities)


def test_a_scheme_binds_the_prediction_but_not_the_loss():
    bound, free = make(Softmax, BIO), make(Softmax, BIO, constrained=False)
    x = encode([4, 1, 0, 3])
    with torch.no_grad():
        # The best legal sequence under the product of the nodes' probabilities.
        legal = [oracle.ranked()[0][0] for oracle in oracles(bound.chain(x))]
    found = bound.predict(x)
    assert [
        tuple(row[: len(p)]) for row, p in zip(found.ids.tolist(), legal, strict=False)
    ] == legal
    assert found.probabilities is None
    tags = [
        [BIO.names[y] for y in row[:n]]
        for row, n in zip(free.predict(x).ids, [4, 1, 0, 3], strict=False)
    ]
    assert any(SCHEMES["BIO"].check(row) for row in tags)  # or this test shows nothing
    gold = torch.zeros(4, 4, dtype=torch.int64)
    torch.testing.assert_close(bound.loss(x, gold), free.loss(x, gold))
    assert isinstance(bound, SequenceDecoder)


def test_softmax_under_autocast_and_on_meta():
    decoder = make(Softmax, BIO, dtype=torch.float32)
    x = torch.randn(5, WIDTH)
    with torch.autocast("cpu", torch.bfloat16):
        assert decoder.loss(x, torch.zeros(5, dtype=torch.int64)).dtype == torch.float32
    decoder = decoder.to("meta")
    structure = Sequences(torch.empty(2, dtype=torch.int64, device="meta"), 4)
    x = Encoded(torch.empty(2, 4, WIDTH, device="meta", requires_grad=True), structure, WIDTH)
    for shape, dtype in (((2, 4), torch.int64), ((2, 4, 3), torch.bool), ((2, 4, 3), torch.float)):
        decoder.loss(x, torch.empty(shape, dtype=dtype, device="meta")).backward()
    assert decoder.predict(x).ids.shape == (2, 4)


@pytest.mark.parametrize(
    "registered, setting", [(Softmax, "class_weights"), (Sigmoid, "positive_weights")]
)
def test_weights_of_unknown_labels_are_refused(registered, setting):
    with pytest.raises(SettingsError) as error:
        registered(**{setting: {"xx": 2.0}})(WIDTH, PLAIN)
    assert str(error.value).startswith(f"{setting}: expected labels of the data, got 'xx'.")
    assert "'x'" in str(error.value)


def test_sigmoid_loss_is_the_sum_over_known_truths():
    decoder = make(Sigmoid, positive_weights={"y": 4.0})
    x = pooled(2)
    truths = torch.tensor([[1.0, 1.0, torch.nan], [0.0, torch.nan, 0.25]])
    p = decoder.output(x).sigmoid()
    want = -p[0, 0].log() - 4 * p[0, 1].log() - (1 - p[1, 0]).log()
    want = want - 0.25 * p[1, 2].log() - 0.75 * (1 - p[1, 2]).log()
    loss = decoder.loss(x, truths)
    torch.testing.assert_close(loss, want)
    loss.backward()
    assert decoder.output.weight.grad.isfinite().all()


def test_sigmoid_prediction():
    decoder, x = make(Sigmoid), pooled()
    found = decoder.predict(x)
    torch.testing.assert_close(found.probabilities, decoder.output(x).sigmoid().detach())
    assert found.ids.equal(found.probabilities.argmax(-1))
    assert decoder.loss(torch.zeros(0, WIDTH).double(), torch.zeros(0, 3)).item() == 0.0


def test_sigmoid_on_meta():
    decoder = make(Sigmoid, dtype=torch.float32).to("meta")
    x = torch.empty(2, WIDTH, device="meta", requires_grad=True)
    decoder.loss(x, torch.empty(2, 3, device="meta")).backward()
    assert decoder.predict(x).ids.shape == (2,)


def test_sigmoid_refuses_nodes():
    with pytest.raises(StructureError, match="expected pooled documents, got .*states"):
        make(Sigmoid).predict(encode([2]))


def test_probabilities_of_many_labels_do_not_overflow():
    decoder = make(Softmax, dtype=torch.float32)
    with torch.no_grad():
        decoder.output.bias.copy_(torch.tensor([1e4, 0.0, -1e4]))
    x = torch.zeros(1, WIDTH)
    assert decoder.loss(x, torch.tensor([2])).item() == pytest.approx(2e4)
    assert decoder.predict(x).probabilities.tolist() == [[1.0, 0.0, 0.0]]
