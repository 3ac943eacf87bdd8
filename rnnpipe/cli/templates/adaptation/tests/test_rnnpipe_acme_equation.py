"""The adaptation against its equation, symbol by symbol."""

from types import SimpleNamespace

import numpy as np
from rnnpipe_acme.unigram_cache import UnigramCache

OWN = np.log([0.5, 0.4, 0.3, 0.2, 0.1]).astype(np.float32)


class Model:
    def log_likelihoods(self, texts):
        return [OWN[: len(text.targets)] for text in texts]


def test_probabilities_are_those_of_the_equation():
    cache = UnigramCache(size=2, share=0.25)
    text = SimpleNamespace(targets=np.array([7, 7, 3, 7, 3]))
    found = np.exp(cache.log_likelihoods(Model(), text))
    cached = [1 / 1, 0 / 2, 1 / 2, 1 / 2]
    want = [0.5, *(0.75 * p + 0.25 * q for p, q in zip((0.4, 0.3, 0.2, 0.1), cached, strict=False))]
    np.testing.assert_allclose(found, want, rtol=1e-6)
