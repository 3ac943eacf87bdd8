"""Texts are scored as one, however they are cut; and streams hand their states on."""

import copy

import numpy as np
import pytest
import torch
from helpers.small_language_model import model, text

from rnnpipe.contracts.types import Place, Text
from rnnpipe.errors import CorpusError, StructureError
from rnnpipe.parts.encoders.sequence.bidirectional import BiLSTM
from rnnpipe.parts.encoders.sequence.recurrent import GRU, LSTM
from rnnpipe.parts.outputs.full import TiedSoftmax


def chunk(whole, stream, begin, end):
    return Text(whole.inputs[begin:end], whole.targets[begin:end], Place(stream, begin, end))


def gradients(network):
    return {name: p.grad.clone() for name, p in network.named_parameters()}


def plain_scores(network, symbols):
    """Symbol by symbol."""
    state, scores = network.encoder.start(1), []
    for i, target in zip(symbols.inputs, symbols.targets, strict=True):
        h, state = network.encoder.step(network.embedding.weight[i : i + 1], state)
        scores.append(float(network.output.log_probabilities(h)[0, target]))
    return scores


@torch.no_grad()
@pytest.mark.parametrize("encoder", [LSTM(width=7, depth=2), GRU(width=7)])
def test_scores_depend_neither_on_the_batch_nor_on_how_texts_are_cut(encoder):
    texts = [text(n, seed=n) for n in (5, 0, 1, 23, 23)]
    want = [plain_scores(model(encoder), t) for t in texts]
    for limits in ({}, {"max_length": 4}, {"max_length": 4, "max_padded_symbols": 8}):
        network = model(encoder, **limits).eval()
        for got in (
            network.log_likelihoods(texts),
            [network.log_likelihoods([t])[0] for t in texts],
        ):
            for a, b in zip(got, want, strict=True):
                np.testing.assert_allclose(a, b, atol=1e-5)


@torch.no_grad()
def test_a_text_that_goes_on_from_a_state_scores_as_in_one():
    whole = text(23)
    network = model(max_length=4).eval()
    state, parts = network.encoder.start(1), []
    for part in (slice(0, 5), slice(5, 5), slice(5, 23)):
        scores, state = network.log_likelihood(Text(whole.inputs[part], whole.targets[part]), state)
        parts.append(scores)
    np.testing.assert_allclose(np.concatenate(parts), plain_scores(network, whole), atol=1e-5)


def test_a_score_does_not_depend_on_what_comes_after():
    one, two = text(9, seed=1), text(9, seed=1)
    two.targets[6:] = 0
    two.inputs[7:] = 0
    with torch.no_grad():
        a, b = model().eval().log_likelihoods([one, two])
    np.testing.assert_allclose(a[:6], b[:6], atol=1e-6)
    assert abs(a[7:] - b[7:]).max() > 1e-4


def test_the_loss_is_that_of_the_scores_and_does_not_depend_on_the_batch():
    texts = [text(n, seed=n) for n in (5, 0, 12)]
    network = model()
    total = network.accumulate_gradients(texts, scale=0.5)
    with torch.no_grad():
        scores = network.log_likelihoods(texts)
    assert float(total) == pytest.approx(-sum(s.sum() for s in scores), abs=1e-4)
    together = gradients(network)
    network.zero_grad()
    for one in texts:
        network.accumulate_gradients([one], scale=0.5)
    for name, gradient in gradients(network).items():
        torch.testing.assert_close(gradient, together[name], atol=1e-5, rtol=1e-4)


def test_chunks_of_a_stream_go_on_where_the_last_left_off():
    whole = [text(12, seed=1), text(12, seed=2)]
    network = model()
    with torch.no_grad():
        scores = network.log_likelihoods(whole)
    for begin, end in ((0, 5), (5, 9), (9, 12)):
        loss = network.accumulate_gradients([chunk(whole[s], s, begin, end) for s in (1, 0)])
        want = -sum(s[begin:end].sum() for s in scores)
        assert float(loss) == pytest.approx(want, abs=1e-4)
    # Streams may end at different times, and begin anew.
    first = float(network.accumulate_gradients([chunk(whole[0], 0, 0, 5)]))
    assert first == pytest.approx(-scores[0][:5].sum(), abs=1e-4)


@pytest.mark.parametrize("fresh", [0, 1])
def test_a_stream_begins_anew_beside_one_that_goes_on(fresh):
    whole = [text(12, seed=1), text(12, seed=2)]
    network, other = model(), 1 - fresh
    with torch.no_grad():
        scores = network.log_likelihoods(whole)
    network.accumulate_gradients([chunk(whole[s], s, 0, 5) for s in (0, 1)])
    both = [chunk(whole[fresh], fresh, 0, 4), chunk(whole[other], other, 5, 9)]
    want = -scores[fresh][:4].sum() - scores[other][5:9].sum()
    assert float(network.accumulate_gradients(both)) == pytest.approx(want, abs=1e-4)


def test_gradients_end_where_a_chunk_begins():
    whole = text(8, seed=3)
    truncated, at_once, by_pieces = model(), model(), model(max_length=4)
    for begin in (0, 4):
        truncated.accumulate_gradients([chunk(whole, 0, begin, begin + 4)])
    at_once.accumulate_gradients([whole])
    by_pieces.accumulate_gradients([whole])
    name = "encoder.cells.0.hidden.weight"
    torch.testing.assert_close(gradients(truncated)[name], gradients(by_pieces)[name])
    assert (gradients(truncated)[name] - gradients(at_once)[name]).abs().max() > 1e-4


def test_a_chunk_out_of_order():
    whole = text(12)
    network = model()
    message = r"stream 0 of the text: expected its first chunk, got 'the one at 4'.*max_epochs = -1"
    with pytest.raises(CorpusError, match=message):
        network.accumulate_gradients([chunk(whole, 0, 4, 8)])
    network.accumulate_gradients([chunk(whole, 0, 0, 4)])
    with pytest.raises(CorpusError, match="expected the chunk that begins at 4, got 'the one at 8"):
        network.accumulate_gradients([chunk(whole, 0, 8, 12)])


def test_carried_states_are_neither_weights_nor_saved_and_are_copied_with_the_module():
    whole = text(8)
    network = model()
    names = set(network.state_dict())
    network.accumulate_gradients([chunk(whole, 0, 0, 4)])
    assert set(network.state_dict()) == names
    again = copy.deepcopy(network)
    losses = [n.accumulate_gradients([chunk(whole, 0, 4, 8)]) for n in (network, again)]
    assert losses[0] == losses[1]


def test_evaluation_leaves_carried_states_alone():
    whole = text(8)
    losses = []
    for evaluate in (False, True):
        network = model()
        network.accumulate_gradients([chunk(whole, 0, 0, 4)])
        if evaluate:
            with torch.no_grad():
                network.eval().log_likelihoods([text(5)])
                network.accumulate_gradients([chunk(whole, 0, 2, 6)])
            network.train()
        losses.append(float(network.accumulate_gradients([chunk(whole, 0, 4, 8)])))
    assert losses[0] == losses[1]


def test_a_training_step_never_waits_for_the_device():
    with torch.device("meta"):
        network = model(dropout=0.5, locked=True, embedding_dropout=0.2, max_length=3)
    whole = text(8)
    for begin in (0, 4):
        chunks = [chunk(whole, s, begin, begin + 4) for s in range(2)]
        loss = network.train().accumulate_gradients([*chunks, text(5), text(2)])
    assert loss.device.type == "meta"
    assert all(p.grad is not None for p in network.parameters())


def test_dropout_of_symbols_is_of_whole_symbols():
    network = model(embedding_dropout=0.5).train()
    seen = []
    network.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network.accumulate_gradients([Text(np.arange(7).repeat(3), np.zeros(21, dtype=np.int64))])
    rows = seen[0].detach().view(7, 3, -1)
    assert (rows == rows[:, :1]).all()
    dropped = (rows[:, 0] == 0).all(-1)
    assert (rows[:, 0][~dropped] == 2 * network.embedding.weight[~dropped]).all()


def test_an_encoder_that_looks_ahead():
    message = "encoder: expected a causal encoder, .* got Bidirectional.* 'rnnpipe.LSTM.v1'"
    with pytest.raises(StructureError, match=message):
        model(BiLSTM(width=4))


def test_weights_shared_by_embedding_and_output_are_trained_once():
    network = model(LSTM(width=6), output=TiedSoftmax())
    assert "output.weight" not in dict(network.named_parameters())
    network.accumulate_gradients([text(4)])
    assert network.embedding.weight.grad is not None
