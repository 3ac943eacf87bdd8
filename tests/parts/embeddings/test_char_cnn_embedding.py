"""``rnnpipe.CharCNN.v1`` and the alphabet."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.errors import SettingsError
from rnnpipe.parts.embeddings.chars import (
    BEGIN,
    END,
    N_SPECIAL,
    PADDING,
    UNKNOWN,
    Alphabet,
    CharCNN,
)


def plain_spelling(text: str, characters: str, max_length: int) -> list[int]:
    if len(text) > max_length:
        head = -(-max_length // 2)
        text = text[:head] + "".join(reversed(text[::-1][: max_length - head]))
    inner = [characters.index(c) + N_SPECIAL if c in characters else UNKNOWN for c in text]
    return [BEGIN, *inner, END]


@given(
    texts=st.lists(st.text(max_size=8), max_size=4),
    characters=st.sets(st.characters(codec="utf-8"), min_size=1, max_size=5),
    max_length=st.integers(1, 6),
    data=st.data(),
)
@settings(max_examples=100, deadline=None)
def test_spelling_against_one_character_at_a_time(texts, characters, max_length, data):
    known = "".join(sorted(characters))
    texts = texts + data.draw(st.lists(st.text(known, max_size=8), max_size=3))
    symbols, lengths = Alphabet(known, max_length).spell(texts)
    expected = [plain_spelling(text, known, max_length) for text in texts]
    assert symbols.tolist() == [symbol for word in expected for symbol in word]
    assert lengths.tolist() == [len(word) for word in expected]


def test_long_words_keep_head_and_tail():
    alphabet = Alphabet("abcdefg", max_length=5)
    shortened, _ = alphabet.spell(["abcdefg"])
    expected, _ = alphabet.spell(["abcfg"])
    assert shortened.tolist() == expected.tolist()


def test_characters_are_learned_from_all_occurrences(vocab):
    counts = {"ba": 2, "c": 1, "bd": 1}
    assert CharCNN().measure(counts, vocab) == {"characters": "abcd"}
    assert CharCNN(min_frequency=2).measure(counts, vocab) == {"characters": "ab"}


@pytest.mark.parametrize("kernel_sizes", [(3,), (1,), (2, 5), (4, 1, 3)])
def test_against_one_position_at_a_time(kernel_sizes, vocab, words_of, embed, texts, counts):
    n_filters, max_length = 2, 7
    builder = CharCNN(
        width=n_filters * len(kernel_sizes),
        char_width=3,
        kernel_sizes=kernel_sizes,
        max_length=max_length,
    )
    facts = builder.measure(counts, vocab)
    module = builder.build(facts)
    torch.nn.init.normal_(module.bias)
    output = embed(module, words_of(texts))
    expected = []
    for text in texts:
        spelled = plain_spelling(text, facts["characters"], max_length)
        word = []
        for k, filters in zip(kernel_sizes, module.filters, strict=True):
            by_symbol = filters.reshape(3, k, n_filters)
            left = (k - 1) // 2
            values = torch.zeros(len(spelled), n_filters)
            for t in range(len(spelled)):
                for j in range(k):
                    if 0 <= t - left + j < len(spelled):
                        vector = module.table.weight[spelled[t - left + j]]
                        values[t] += vector @ by_symbol[:, j]
            word.append(values.max(0).values)
        expected.append(torch.tanh(torch.cat(word) + module.bias))
    expected = torch.stack(expected)
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-5)
    weights = torch.randn_like(output)
    parameters = list(module.parameters())
    fast = torch.autograd.grad(output, parameters, weights)
    plain = torch.autograd.grad(expected, parameters, weights)
    # Also where a word such as "aaaaaa" reaches the maximum more than once.
    for one, other in zip(fast, plain, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_the_zeros_beyond_a_word_stay_zero(vocab, words_of, embed, texts, counts):
    builder = CharCNN(width=4, char_width=3)
    module = builder.build(builder.measure(counts, vocab))
    assert (module.table.weight[[PADDING, UNKNOWN]] == 0).all()
    embed(module, words_of(texts)).sum().backward()
    assert (module.table.weight.grad[PADDING] == 0).all()
    assert (module.table.weight.grad[UNKNOWN] != 0).any()


@pytest.mark.parametrize("sizes", [[], [2, 3, 4]])
def test_kernel_sizes_must_share_the_width(sizes):
    with pytest.raises(SettingsError) as error:
        CharCNN(width=50, kernel_sizes=sizes)
    assert str(error.value) == (
        "rnnpipe.CharCNN.v1, kernel_sizes: expected one or more sizes that share width = 50 "
        f"evenly, got {sizes}. Set width to a multiple of the number of kernel sizes."
    )


def test_no_characters(vocab):
    with pytest.raises(SettingsError, match=r"rnnpipe\.CharCNN\.v1: .* no such text, 0 distinct"):
        CharCNN().measure({}, vocab)
