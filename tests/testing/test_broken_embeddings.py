"""The kit finds every way in which an embedding can break a promise."""

from functools import partial

import numpy as np
import pytest
import torch
from helpers.broken import Doubled, can_all_be_broken, told

from rnnpipe.parts.embeddings.builder import Builder
from rnnpipe.parts.embeddings.hashed import Hashed
from rnnpipe.testing import check_embedding
from rnnpipe.testing.embeddings import EMBEDDING

WIDTH = 4


class Lexical(torch.nn.Module):
    """A vector for each length of a word."""

    lexical = True

    def __init__(self):
        super().__init__()
        self.n_out = WIDTH
        self.table = torch.nn.Embedding(20, WIDTH)

    def initialize(self, vocab):
        pass

    def featurize(self, items):
        return {"rows": np.array([min(19, len(text)) for text in items.texts()])}

    def forward(self, features):
        return self.spoil(self.table(features["rows"]))

    def spoil(self, vectors):
        return vectors


class Compared(Lexical):
    def spoil(self, vectors):
        return vectors - vectors.mean(0)


class Infinite(Lexical):
    def featurize(self, items):
        features = super().featurize(items)
        features["long"] = np.array([len(text) > 100 for text in items.texts()])
        return features

    def forward(self, features):
        return self.table(features["rows"]) / (~features["long"].unsqueeze(1)).float()


class Detached(Lexical):
    def spoil(self, vectors):
        return vectors.detach().requires_grad_()


class Waiting(Lexical):
    def spoil(self, vectors):
        return vectors * float(vectors.sum().isfinite().item())


class Changing(Lexical):
    def spoil(self, vectors):
        return vectors + torch.rand(())


class Exact(Lexical):
    def spoil(self, vectors):
        return vectors.double()


class Wrong(Lexical):
    def spoil(self, vectors):
        return Doubled.apply(vectors)


class Unsaved(Lexical):
    """What it is given at the start is not among its weights."""

    shift = 0.0

    def initialize(self, vocab):
        self.shift = 1.0

    def spoil(self, vectors):
        return vectors + self.shift


class Named(Lexical):
    def __init__(self):
        super().__init__()
        self.E = torch.nn.Parameter(torch.ones(()))


class Restless(Lexical):
    def spoil(self, vectors):
        return vectors * np.random.default_rng().random() if self.training else vectors


class Unseeded(Lexical):
    def __init__(self):
        super().__init__()
        self.register_buffer("noise", torch.from_numpy(np.random.default_rng().standard_normal(3)))


class Layer:
    """The thinc layer of a fed embedding, as far as it is looked at."""

    def get_dim(self, name):
        return WIDTH


class Fed(torch.nn.Module):
    lexical = False

    def __init__(self):
        super().__init__()
        self.n_out = WIDTH

    def initialize(self, vocab):
        pass

    def forward(self, features):
        return features["upstream"] - features["upstream"].mean(0)


class Twice(Fed):
    def forward(self, features):
        return Doubled.apply(features["upstream"])


class Cut(Fed):
    def forward(self, features):
        return features["upstream"].detach().requires_grad_()


class Contextual(torch.nn.Module):
    """The number of the token in its document."""

    lexical = False

    def __init__(self):
        super().__init__()
        self.n_out = 1

    def initialize(self, vocab):
        pass

    def featurize(self, items):
        return {"numbers": np.arange(sum(map(len, items)), dtype=np.float32)}

    def forward(self, features):
        return features["numbers"].unsqueeze(1)


def set_facts(counts, vocab):
    return {"words": np.array([1])}


def of(module, upstream=None):
    return Builder(module, upstream=upstream)


class Idle(Contextual):
    """It has something to learn and does not learn it."""

    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(()))

    def forward(self, features):
        return super().forward(features) * self.factor.detach().requires_grad_()


BROKEN = [
    ("facts", Builder(Lexical, set_facts), "Found: TypeError: Object of type ndarray is not JSON"),
    ("words", of(Compared), "Found: vector of word 0, alone and together: expected values equal"),
    ("words", of(Exact), "Found: vectors: expected torch.float32, got torch.float64."),
    ("unseen", of(Infinite), "Found: vector: expected finite numbers."),
    ("gradients", of(Detached), "Found: parameters: expected a gradient of one at least."),
    ("gradients", of(Idle), "Found: parameters: expected a gradient of one at least."),
    ("gradient_check", of(Wrong), "words and documents.\nFound: GradcheckError: "),
    ("gradient_check", of(Twice, Layer()), "3 tokens.\nFound: GradcheckError: "),
    ("meta", of(Waiting), "Found: RuntimeError: Tensor.item() cannot be called on meta tensors"),
    ("copies", of(Changing), "Found: the answer of a second call: expected the same values to the"),
    ("copies", of(Unsaved), "Found: the answer of a pickle of the builder, with the weights loa"),
    ("fed_tokens", of(Fed, Layer()), "Found: vector of token 0, alone and together: expected val"),
    ("fed_gradients", of(Cut, Layer()), "Found: token 0: expected a gradient, got none."),
    ("documents", of(Contextual), "Found: vectors, alone and together: expected values equal to"),
    ("names", of(Named), "Found: E: expected another name than 'E'."),
    ("seeds", of(Restless), "under the seed 7.\nFound: vectors in training: expected the same val"),
    ("seeds", of(Unseeded), "Found: noise: expected the same values to the last bit, got 3 other"),
]


@pytest.mark.parametrize("promise, builder, found", BROKEN)
def test_a_broken_promise_is_found(promise, builder, found):
    assert found in told(EMBEDDING, promise, builder)


def test_every_promise_can_be_broken():
    assert can_all_be_broken(EMBEDDING, BROKEN)


def test_sound_embeddings_break_none():
    check_embedding(of(partial(Lexical)))
    check_embedding(Hashed(width=4, norm=20, prefix=10, suffix=10, shape=10))
