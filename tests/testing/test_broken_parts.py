"""The kit finds every way in which filters, attentions and outputs can break a promise."""

import numpy as np
import pytest
import torch
from helpers.broken import can_all_be_broken, told

from rnnpipe.parts.attentions.dot import Dot
from rnnpipe.parts.attentions.general import General
from rnnpipe.parts.outputs.full import FullSoftmax
from rnnpipe.testing import check_attention, check_filter, check_output
from rnnpipe.testing.attentions import ATTENTION
from rnnpipe.testing.filters import FILTER
from rnnpipe.testing.outputs import OUTPUT


class Filter:
    def __init__(self, alphabet):
        pass

    def __call__(self, log_probabilities, history):
        return log_probabilities


class Rising(Filter):
    def __call__(self, log_probabilities, history):
        return log_probabilities + 1


class InPlace(Filter):
    def __call__(self, log_probabilities, history):
        return log_probabilities.clamp_(max=-1.0)


class Batched(Filter):
    def __call__(self, log_probabilities, history):
        return log_probabilities - log_probabilities.logsumexp(-1).max().abs() - 1


class Greedy(Filter):
    def __call__(self, log_probabilities, history):
        least = torch.tensor(-0.2)
        return log_probabilities.masked_fill(log_probabilities < least, -torch.inf)


class Looking(Filter):
    def __call__(self, log_probabilities, history):
        return log_probabilities - (1.0 if log_probabilities.sum().item() else 0.0)


class Random(Filter):
    def __init__(self, alphabet):
        self.factor = 1 + np.random.default_rng().random()

    def __call__(self, log_probabilities, history):
        return log_probabilities * self.factor


FILTERS = [
    ("rows", Rising, "Found: log-probabilities: expected none to rise, got 6 that do."),
    ("rows", InPlace, "Found: what came in: expected the same values to the last bit"),
    ("rows", Batched, "alone and among the others: expected the same values to the last bit"),
    ("survival", Greedy, "length = 0, seed = 0.\nFound: symbols: expected one at least in each of"),
    ("meta", Looking, "Found: RuntimeError: Tensor.item() cannot be called on meta tensors"),
    ("copies", Random, "Found: the result of a copy: expected the same values to the last bit"),
]


class Attention(torch.nn.Module):
    def __init__(self, n_query, n_memory):
        super().__init__()
        self.inner = General()(n_query, n_memory)

    def keys(self, states):
        return self.inner.keys(states)

    def scores(self, queries, keys):
        return self.spoil(self.inner.scores(queries, keys))

    def spoil(self, scores):
        return scores


class Relative(Attention):
    def spoil(self, scores):
        return scores - scores.mean(-1, keepdim=True)


class Cut(Attention):
    def scores(self, queries, keys):
        return self.inner.scores(queries.detach(), keys)


class Last(Attention):
    def scores(self, queries, keys):
        scores = self.inner.scores(queries, keys)
        return torch.cat([scores[..., :-1].detach(), scores[..., -1:]], -1)


class Waiting(Attention):
    def spoil(self, scores):
        return scores * float(scores.sum().isfinite().item())


class Other(Attention):
    def __init__(self, n_query, n_memory):
        super().__init__(n_query, n_memory)
        self.factor = torch.rand(())

    def spoil(self, scores):
        return scores * self.factor


class Named(Attention):
    def __init__(self, n_query, n_memory):
        super().__init__(n_query, n_memory)
        self.W = torch.nn.Parameter(torch.ones(()))


class Unseeded(Attention):
    def __init__(self, n_query, n_memory):
        super().__init__(n_query, n_memory)
        self.register_buffer("noise", torch.from_numpy(np.random.default_rng().standard_normal(3)))


ATTENTIONS = [
    ("pairs", Relative, "b = 1, t = 1, s = 2.\nFound: score of step 0 and node 0 in row 0, alone"),
    ("gradients", Cut, "Found: queries: expected a gradient, got none."),
    ("gradients", Last, "Found: source: expected a gradient of every state, got zeros."),
    ("gradients", Named, "Found: W: expected a gradient, got none."),
    ("meta", Waiting, "Found: RuntimeError: Tensor.item() cannot be called on meta tensors"),
    ("copies", Other, "Found: the answer of a pickle of the builder, with the weights loaded"),
    ("names", Named, "Found: W: expected another name than 'W'."),
    ("seeds", Unseeded, "Found: noise: expected the same values to the last bit, got 3 others."),
]


class Output(torch.nn.Module):
    def __init__(self, n_in, embedding):
        super().__init__()
        self.inner = FullSoftmax()(n_in, embedding)

    def score(self, x, targets):
        return self.spoil(self.inner.score(x, targets))

    def log_probabilities(self, x):
        return self.spoil(self.inner.log_probabilities(x))

    def spoil(self, scores):
        return scores


class Unlikely(Output):
    def spoil(self, scores):
        return scores - 1


class Centred(Output):
    def score(self, x, targets):
        scores = self.inner.score(x, targets)
        return scores - scores.mean()


class Reversed(Output):
    def score(self, x, targets):
        scores = self.inner.score(x, targets)
        return 2 * scores.detach() - scores


class Measuring(Output):
    def spoil(self, scores):
        return scores * float(scores.sum().isfinite().item())


class Half(Output):
    def spoil(self, scores):
        return scores.bfloat16()


class Scaled(Output):
    def __init__(self, n_in, embedding):
        super().__init__(n_in, embedding)
        self.factor = torch.rand(())

    def spoil(self, scores):
        return scores * self.factor


class Called(Output):
    def __init__(self, n_in, embedding):
        super().__init__(n_in, embedding)
        self.E = torch.nn.Parameter(torch.ones(()))


class Noisy(Output):
    def __init__(self, n_in, embedding):
        super().__init__(n_in, embedding)
        self.register_buffer("noise", torch.from_numpy(np.random.default_rng().standard_normal(3)))


OUTPUTS = [
    ("probabilities", Unlikely, "Found: sums of the probabilities: expected values equal to 1e-05"),
    ("batch", Centred, "targets = [0, 0].\nFound: score 0, alone and together: expected val"),
    ("training", Reversed, "Found: scores: expected them to rise, got"),
    ("meta", Measuring, "Found: RuntimeError: Tensor.item() cannot be called on meta tensors"),
    ("precision", Half, "Found: scores: expected torch.float32, got torch.bfloat16."),
    ("copies", Scaled, "Found: the answer of a pickle of the builder, with the weights loaded"),
    ("names", Called, "Found: E: expected another name than 'E'."),
    ("seeds", Noisy, "Found: noise: expected the same values to the last bit, got 3 others."),
]
TABLES = [(FILTER, FILTERS), (ATTENTION, ATTENTIONS), (OUTPUT, OUTPUTS)]
CASES = [(kind, *row) for kind, table in TABLES for row in table]


@pytest.mark.parametrize("kind, promise, builder, found", CASES)
def test_a_broken_promise_is_found(kind, promise, builder, found):
    assert found in told(kind, promise, builder)


@pytest.mark.parametrize("kind, table", TABLES)
def test_every_promise_can_be_broken(kind, table):
    assert can_all_be_broken(kind, table)


def test_sound_parts_break_none():
    check_filter(Filter, size=5)
    check_attention(Attention, width=3)
    check_attention(Dot())
    check_output(Output, width=4, size=7)
