"""``rnnpipe.Concat.v1`` and ``rnnpipe.WordChar.v1``."""

from typing import Any

import pytest
import torch
from torch import nn

from rnnpipe.errors import SettingsError, StructureError
from rnnpipe.parts.embeddings.builder import Builder
from rnnpipe.parts.embeddings.chars import CharCNN
from rnnpipe.parts.embeddings.concat import Concat
from rnnpipe.parts.embeddings.hashed import Hashed
from rnnpipe.parts.embeddings.word_char import WordChar
from rnnpipe.parts.embeddings.words import Words


class Contextual(nn.Module):
    lexical = False
    n_out = 1

    def initialize(self, vocab: Any) -> None: ...
    def featurize(self, items: Any) -> dict[str, Any]:
        return {}


def test_parts_are_side_by_side(vocab, words_of, embed, texts, counts):
    words, chars = Words(width=3), CharCNN(width=4, char_width=2)
    builder = Concat({"words": words, "chars": chars})
    module = builder.build(builder.measure(counts, vocab)).eval()
    batch = words_of(texts)
    vectors = embed(module, batch)
    assert module.n_out == 7
    assert torch.equal(vectors[:, :3], embed(module.parts[0], batch))
    assert torch.equal(vectors[:, 3:], embed(module.parts[1], batch))


def test_nested_parts_are_flattened():
    a, b, c = Words(width=3), Hashed(width=4), CharCNN(width=5)
    builder = Concat({"one": Concat({"a": a, "b": b}), "two": c})
    assert list(builder.parts()) == [a, b, c]


def test_more_than_ten_parts_keep_their_features_apart(vocab, words_of, embed, texts, counts):
    builder = Concat({str(i): Words(width=1) for i in range(12)})
    module = builder.build(builder.measure(counts, vocab)).eval()
    batch = words_of(texts)
    expected = torch.cat([embed(part, batch) for part in module.parts], dim=1)
    assert torch.equal(embed(module, batch), expected)


def test_word_char_is_hashed_words_and_a_char_cnn(counts, vocab):
    builder = WordChar(width=10, char_width=6)
    modules = [part.build(part.measure(counts, vocab)) for part in builder.parts()]
    assert [type(m).__name__ for m in modules] == ["HashedEmbedding", "CharCNNEmbedding"]
    assert [m.n_out for m in modules] == [10, 6]


def test_no_parts():
    with pytest.raises(SettingsError) as error:
        Concat({})
    assert str(error.value) == (
        "rnnpipe.Concat.v1, parts: expected at least one embedding, got no parts. Add a block such "
        "as [components.ner.model.embedding.parts.words] under it."
    )


def test_lexical_and_contextual_parts_are_not_one_embedding(counts, vocab):
    builder = Concat({"words": Hashed(), "context": Builder(Contextual)})
    with pytest.raises(StructureError) as error:
        builder.build(builder.measure(counts, vocab))
    assert str(error.value) == (
        "rnnpipe.Concat.v1: expected parts that are either all lexical or all not lexical, to "
        "build them as one embedding, got 'HashedEmbedding: lexical=True, Contextual: "
        "lexical=False'. Build each of parts() separately."
    )
