"""``rnnpipe.Hashed.v1``."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.errors import SettingsError
from rnnpipe.parts.embeddings.hashed import ATTRIBUTES, N_HASHES, Hashed, hash_rows

MODULO = 2**64


def plain_hash(key: int, stream: int) -> int:
    """SplitMix64's output function in Python's unbounded integers."""
    x = (key + stream * 0x9E3779B97F4A7C15) % MODULO
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % MODULO
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % MODULO
    return x ^ (x >> 31)


@given(
    keys=st.lists(st.integers(0, MODULO - 1), max_size=5),
    seed=st.integers(0, 3),
    n_rows=st.integers(1, 10_000),
)
@settings(max_examples=50, deadline=None)
def test_hash_against_plain_integers(keys, seed, n_rows):
    rows = hash_rows(np.array(keys, dtype=np.uint64), seed, n_rows)
    assert rows.dtype == np.int64
    assert rows.tolist() == [
        [plain_hash(key, seed * N_HASHES + i) % n_rows for i in range(1, N_HASHES + 1)]
        for key in keys
    ]


def test_hash_matches_the_published_generator():
    # The first outputs of SplitMix64 seeded with 0.
    rows = hash_rows(np.zeros(1, dtype=np.uint64), 0, 2**62)
    first = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC]
    assert rows[0].tolist() == [value % 2**62 for value in first]


def test_few_keys_collide_in_all_rows():
    rows = hash_rows(np.arange(20_000, dtype=np.uint64), 1, 500)
    assert len(np.unique(np.sort(rows, axis=1), axis=0)) > 19_990
    counts = np.bincount(rows.ravel(), minlength=500)
    assert abs(counts - 160).max() < 80  # Poisson: 160 expected, deviation 12.6


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("left_out", [None, "prefix"])
def test_against_one_word_at_a_time(pieces, left_out, vocab, words_of, embed, texts):
    sizes = {"norm": 40, "prefix": 10, "suffix": 20, "shape": 15}
    if left_out is not None:
        sizes[left_out] = 0
    module = Hashed(width=5, pieces=pieces, **sizes).build({})
    torch.nn.init.normal_(module.norm.weight)
    words = words_of(texts)
    vectors = embed(module, words)
    for i in range(len(texts)):
        attributes = []
        for seed, name in enumerate(ATTRIBUTES):
            if sizes[name]:
                key = int(getattr(words, name)[i])
                hashes = [plain_hash(key, seed * N_HASHES + j) for j in range(1, N_HASHES + 1)]
                table = module.tables[name]
                attributes.append(sum(table[h % sizes[name]] for h in hashes))
        mixed = module.mix.weight @ torch.cat(attributes) + module.mix.bias
        best = mixed.reshape(pieces, 5).max(0).values
        centred = best - best.mean()
        normed = centred / (centred.square().mean() + 1e-5).sqrt()
        expected = normed * module.norm.weight + module.norm.bias
        torch.testing.assert_close(vectors[i], expected, atol=1e-5, rtol=1e-5)


def test_left_out_attributes_are_not_looked_at(words_of, embed):
    module = Hashed(width=5, norm=100, prefix=0, suffix=0, shape=0).build({})
    vectors = embed(module, words_of(["walk", "Walk", "run"]))  # the first two share a norm
    assert torch.equal(vectors[0], vectors[1])
    assert not torch.equal(vectors[0], vectors[2])


def test_needs_an_attribute():
    with pytest.raises(SettingsError) as error:
        Hashed(width=5, norm=0, prefix=0, suffix=0, shape=0)
    assert str(error.value) == (
        "rnnpipe.Hashed.v1: expected rows for at least one of norm, prefix, suffix and shape, got "
        "no rows for any. Set norm to 1000 or more."
    )
