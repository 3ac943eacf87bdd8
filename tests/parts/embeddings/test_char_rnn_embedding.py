"""``rnnpipe.CharRNN.v1``."""

import pytest
import torch
from torch import nn

from rnnpipe.errors import StructureError
from rnnpipe.parts.embeddings.chars import CharRNN
from rnnpipe.parts.encoders.sequence.bidirectional import BiLSTM
from rnnpipe.parts.encoders.sequence.recurrent import LSTM
from rnnpipe.structures import Sequences


@pytest.mark.parametrize("encoder", [LSTM(width=4), BiLSTM(width=4)])
def test_against_one_word_at_a_time(encoder, vocab, words_of, embed, texts, counts):
    builder = CharRNN(encoder, char_width=3, max_length=9)
    module = builder.build(builder.measure(counts, vocab))
    vectors = embed(module, words_of(texts))
    for text, vector in zip(texts, vectors, strict=True):
        (symbols,) = module.featurize(words_of([text]))["symbols"]
        assert len(symbols) == min(len(text), 9) + 2
        characters = module.table(torch.from_numpy(symbols)).unsqueeze(0)  # (1, L, 3)
        states = run(module.encoder, characters)
        n = states.shape[-1] if module.encoder.causal else states.shape[-1] // 2
        expected = torch.cat([states[0, -1, :n], states[0, 0, n:]])
        torch.testing.assert_close(vector, expected, atol=1e-5, rtol=0)


def run(encoder, inputs):
    return encoder(inputs, Sequences.of([inputs.shape[1]])).states


def test_padding_has_no_influence_and_gets_no_gradient(vocab, words_of, embed, texts, counts):
    builder = CharRNN(BiLSTM(width=4), char_width=3)
    module = builder.build(builder.measure(counts, vocab))
    embed(module, words_of(texts)).sum().backward()
    assert (module.table.weight.grad[0] == 0).all()
    assert (module.table.weight.grad[1:4] != 0).all()


class TreeEncoder(nn.Module):
    n_out, causal = 2, False

    class Trees: ...

    structure = Trees

    def __init__(self, n_in):
        super().__init__()


def test_needs_an_encoder_of_sequences(vocab, counts):
    builder = CharRNN(TreeEncoder)
    with pytest.raises(StructureError) as error:
        builder.build(builder.measure(counts, vocab))
    assert str(error.value) == (
        "rnnpipe.CharRNN.v1, encoder: expected an encoder of Sequences, got 'TreeEncoder of "
        "Trees'. Use a sequence encoder such as rnnpipe.BiLSTM.v1."
    )
