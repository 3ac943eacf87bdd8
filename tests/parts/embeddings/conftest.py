"""Words of real documents, and how a network would run an embedding on them."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from torch import Tensor

from rnnpipe.contracts.types import Words
from rnnpipe.models.labelling.batching import distinct_words


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """One character, mixed case, digits, accents, other scripts, beyond 16 bits, spaces, long."""
    ascii_words = ["a", "A", "I", "walked", "Walking", "walks", "1999", "can't", "aaaaaa"]
    long_words = ["x" * 50, "honorificabilitudinitatibus"]
    return [*ascii_words, "naïve", "Zürich", "東京", "🙂🙂", "\n\n", *long_words]


@pytest.fixture(scope="session")
def counts() -> dict[str, int]:
    """Training counts that leave some of the texts, and some of their characters, unknown."""
    return {"a": 9, "A": 4, "walked": 3, "can't": 2, "Walking": 1, "Zürich": 1, "1999": 1}


@pytest.fixture(scope="session")
def vocab():
    vocab = spacy.blank("en").vocab
    generator = np.random.default_rng(0)
    for text in ["a", "walked", "can't", "zürich", "1999"]:
        vocab.set_vector(text, generator.normal(size=4).astype("f"))
    return vocab


@pytest.fixture(scope="session")
def words_of(vocab) -> Callable[[Sequence[str]], Words]:
    """Words for distinct texts, in the order of the texts."""

    def make(texts: Sequence[str]) -> Words:
        words, _, word_of = distinct_words([Doc(vocab, words=list(texts))])
        columns = (words.orth, words.norm, words.prefix, words.suffix, words.shape)
        return Words(*(column[word_of] for column in columns), vocab=vocab)

    return make


@pytest.fixture(scope="session")
def embed() -> Callable[..., Tensor]:
    """The vectors of words, as a network computes them, on any device."""

    def run(module, words: Words, device: str = "cpu") -> Tensor:
        features = module.featurize(words)
        return module({name: torch.from_numpy(a).to(device) for name, a in features.items()})

    return run
