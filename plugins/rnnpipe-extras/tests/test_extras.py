"""Each part against its equation."""

import math

import numpy as np
import pytest
import torch
from rnnpipe_extras.casing import row_of
from rnnpipe_extras.cosine import Cosine
from rnnpipe_extras.filters import Eta, TopNSigma
from rnnpipe_extras.log_sum_exp import LogSumExp
from rnnpipe_extras.mixture import MixtureOfSoftmaxes
from rnnpipe_extras.ordinal import Ordinal

from rnnpipe.api import Encoded, Labels, Sequences, SettingsError


def test_log_sum_exp_lies_between_mean_and_maximum():
    states = torch.tensor([[[1.0], [2.0], [-4.0]]])
    encoded = Encoded(states, Sequences.of([3]), 1)
    want = math.log((math.e**2 + math.e**4 + math.e**-8) / 3) / 2
    assert LogSumExp(sharpness=2.0)(1)(encoded).item() == pytest.approx(want)
    assert LogSumExp(sharpness=1e-3)(1)(encoded).item() == pytest.approx(-1 / 3, abs=0.01)
    assert LogSumExp(sharpness=100.0)(1)(encoded).item() == pytest.approx(2.0, abs=0.02)


class TestOrdinal:
    @staticmethod
    def decoder(names=("10", "2", "3", "1"), order=None):
        torch.manual_seed(0)
        decoder = Ordinal(order=order)(1, Labels(names))
        with torch.no_grad():
            decoder.gap.copy_(torch.linspace(-1, 1, len(names)))
            decoder.place.weight.fill_(1.0)
        return decoder

    def test_probabilities_are_those_of_proportional_odds(self):
        decoder = self.decoder()
        gap = dict(zip(("10", "2", "3", "1"), decoder.gap.tolist(), strict=True))
        cuts = [-1.0]
        for label in ("3", "10"):  # "2" begins at the first cut
            cuts.append(cuts[-1] + math.log1p(math.exp(gap[label])))
        for x in (-3.0, 0.0, 0.4, 5.0):
            above = [1.0, *(1 / (1 + math.exp(cut - x)) for cut in cuts), 0.0]
            want = dict(zip(("1", "2", "3", "10"), np.diff(above) * -1, strict=True))
            got = decoder.predict(torch.tensor([[x]])).probabilities[0].tolist()
            assert got == pytest.approx([want[name] for name in ("10", "2", "3", "1")], abs=1e-6)

    def test_the_further_up_the_higher(self):
        decoder = self.decoder(("low", "high", "middle"), ["low", "middle", "high"])
        with torch.no_grad():
            decoder.gap.fill_(4.0)  # the cuts are -1 and 3.02
        ids = decoder.predict(torch.tensor([[-9.0], [1.0], [9.0]])).ids
        assert [("low", "high", "middle")[i] for i in ids] == ["low", "middle", "high"]

    def test_far_away_labels_have_a_finite_loss(self):
        x = torch.tensor([[200.0]], requires_grad=True)
        loss = self.decoder().loss(x, torch.tensor([3]))
        loss.backward()
        assert loss.item() == pytest.approx(201.0, abs=0.01)
        assert x.grad.item() == pytest.approx(1.0)

    @pytest.mark.parametrize("n", [1, 2])
    def test_few_labels(self, n):
        names = ("a", "b")[:n]
        probabilities = Ordinal()(3, Labels(names)).predict(torch.randn(4, 3)).probabilities
        torch.testing.assert_close(probabilities.sum(-1), torch.ones(4))
        assert probabilities.shape == (4, n)

    def test_an_order_that_leaves_labels_out(self):
        with pytest.raises(SettingsError) as caught:
            self.decoder(("a", "b"), ["a"])
        assert str(caught.value) == (
            "order: expected all labels of the data in their order (a, b), got ['a']. Name each of "
            "them once."
        )


class Alphabet:
    size, end = 4, None


def kept(filter, probabilities):
    log_p = torch.tensor(probabilities).log()
    changed = filter(Alphabet())(log_p, torch.zeros(0, dtype=torch.int64))
    return (changed > -torch.inf).nonzero().flatten().tolist()


def test_top_n_sigma():
    logits = np.log([0.5, 0.3, 0.15, 0.05])
    least = logits.max() - logits.std()
    want = [i for i, value in enumerate(logits) if value >= least]
    assert kept(TopNSigma(n=1.0), [0.5, 0.3, 0.15, 0.05]) == want == [0, 1]
    assert kept(TopNSigma(n=0.01), [0.5, 0.3, 0.15, 0.05]) == [0]
    assert kept(TopNSigma(n=1.0), [0.5, 0.5, 0.0, 0.0]) == [0, 1]


def test_eta():
    sure, unsure = [0.97, 0.02, 0.005, 0.005], [0.3, 0.3, 0.3, 0.1]
    # Sure: epsilon bounds. Unsure: sqrt(0.01) exp(-1.31) = 0.027 would, were it less than epsilon.
    assert kept(Eta(epsilon=0.01), sure) == [0, 1]
    assert kept(Eta(epsilon=0.9), [0.3, 0.3, 0.25, 0.15]) == [0, 1, 2]
    entropy = -sum(p * math.log(p) for p in unsure)
    assert min(0.2, math.sqrt(0.2) * math.exp(-entropy)) > 0.1
    assert kept(Eta(epsilon=0.2), unsure) == [0, 1, 2]


def test_casing():
    words = [".", "word", "UN", "Berlin", "iPhone", "24", "Mi6", "A", ""]
    assert [row_of(word) for word in words] == [0, 1, 2, 3, 4, 5, 8, 3, 0]


def test_cosine_does_not_see_length():
    attention = Cosine(width=3, sharpness=2.0)(4, 5)
    queries, states = torch.randn(1, 2, 4), torch.randn(1, 3, 5)
    scores = attention.scores(queries, attention.keys(states))
    torch.testing.assert_close(attention.scores(7 * queries, attention.keys(0.1 * states)), scores)
    q, s = attention.query(queries)[0, 1], attention.key(states)[0, 2]
    want = 2 * torch.dot(q, s) / q.norm() / s.norm()
    torch.testing.assert_close(scores[0, 1, 2], want)


def test_a_mixture_of_one_is_a_softmax():
    output = MixtureOfSoftmaxes(mixtures=1)(3, torch.randn(5, 2))
    x = torch.randn(4, 3)
    want = output.output(torch.tanh(output.hidden(x))).log_softmax(-1)
    torch.testing.assert_close(output.log_probabilities(x), want)
