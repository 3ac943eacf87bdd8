"""Symbol by symbol and in searches the model is the same, and each source is searched by itself."""

import numpy as np
import pytest
import torch
from helpers.small_seq2seq import MODELS, SIZE, model, pair, pairs
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.contracts.types import BOUNDARY, Text
from rnnpipe.errors import SettingsError, StructureError
from rnnpipe.models.translation.decoding import Decoding, search
from rnnpipe.models.translation.model import Pair
from rnnpipe.parts.decoders.generation.beam import Beam
from rnnpipe.parts.decoders.generation.sampler import Sampler


class Letters:
    size, end = SIZE, BOUNDARY

    def encode(self, text):
        return [2 + "uvwxyz".index(letter) for letter in text]


def generator(builder):
    return builder.generator(Letters())


def found(network, batch, builder, **kwargs):
    return search(network.eval(), [one.source for one in batch], generator(builder), **kwargs)


@torch.no_grad()
def scored(network, source, symbols):
    """The teacher-forced score of a text and its end."""
    target = np.array(symbols, dtype=np.int64)
    text = Text(np.append(BOUNDARY, target), np.append(target, BOUNDARY))
    return network.eval().align([Pair(source, text)])[0]


@pytest.mark.parametrize("kind", MODELS)
def test_steps_equal_the_whole_sequence(kind):
    network = model(kind).eval()
    batch = pairs((4, 5), (0, 5), (2, 5))
    steps = Decoding(network, [one.source for one in batch])
    state, scores, looks = steps.begin(3), [], []
    for i in range(6):
        symbols = torch.tensor([one.target.inputs[i] for one in batch])
        log_probabilities, state = steps.advance(symbols, state)
        targets = torch.tensor([one.target.targets[i] for one in batch]).unsqueeze(1)
        scores.append(log_probabilities.gather(1, targets).squeeze(1).numpy())
        looks.append(state.attention.numpy())
    with torch.no_grad():
        for row, want in enumerate(network.align(batch)):
            got = np.array(scores)[:, row]
            np.testing.assert_allclose(got, want.log_probabilities, atol=1e-5)
            if want.attention is not None:
                got = np.array(looks)[:, row, : len(batch[row].source)]
                np.testing.assert_allclose(got, want.attention, atol=1e-5)


@pytest.mark.parametrize("kind", MODELS)
def test_all_of_a_state_is_reordered(kind):
    network = model(kind).eval()
    batch = pairs((4, 5), (1, 5), (2, 5))
    steps = Decoding(network, [one.source for one in batch])
    inputs = torch.from_numpy(np.array([one.target.inputs for one in batch]))
    _, state = steps.advance(inputs[:, 0], steps.begin(3))
    _, state = steps.advance(inputs[:, 1], state)
    rows = torch.tensor([2, 0, 2, 1])
    moved, after = steps.advance(inputs[rows, 2], steps.reorder(state, rows))
    straight, before = steps.advance(inputs[:, 2], state)
    torch.testing.assert_close(moved, straight[rows])
    torch.testing.assert_close(steps.coverage(after), steps.coverage(before)[rows])
    # Once more, among rows of the same sources only.
    same = steps.reorder(after, torch.tensor([2, 1, 0, 3]))
    torch.testing.assert_close(
        steps.advance(inputs[rows, 3], same)[0], steps.advance(inputs[rows, 3], after)[0]
    )


@pytest.mark.parametrize("kind", MODELS)
@given(sizes=st.lists(st.integers(0, 5), min_size=1, max_size=5), seed=st.integers(0, 99))
@settings(max_examples=6, deadline=None)
def test_a_source_alone_is_found_the_same_text_as_in_a_batch(kind, sizes, seed):
    network = model(kind, seed=seed, max_padded_symbols=80)
    batch = [pair(n, 0) for n in sizes]
    beam = Beam(beam_size=3, n_best=2, max_length=6, length_penalty="average")
    for one, together in zip(batch, found(network, batch, beam), strict=True):
        (alone,) = found(network, [one], beam)
        assert [x.symbols for x in alone] == [x.symbols for x in together]
        for a, b in zip(alone, together, strict=True):
            assert a.score == pytest.approx(b.score, abs=1e-4)
            assert a.log_probabilities == pytest.approx(b.log_probabilities, abs=1e-4)


def test_scores_of_found_texts_are_those_of_reading_them():
    network = model("feeding")
    batch = pairs((4, 0), (0, 0), (3, 0))
    for one, texts in zip(batch, found(network, batch, Beam(max_length=5)), strict=True):
        (text,) = texts
        if text.ended == "end":
            want = scored(network, one.source, text.symbols).log_probabilities
        else:
            want = scored(network, one.source, text.symbols).log_probabilities[:-1]
        assert text.log_probabilities == pytest.approx(want.tolist(), abs=1e-4)


def test_coverage_is_that_of_the_attention():
    """``sum_j log min(1, sum_t a(t, j))`` (Wu et al. 2016), the end's attention included."""
    network = model(seed=3)
    batch = pairs((4, 0), (1, 0), (5, 0))
    plain = {"beam_size": 8, "n_best": 8, "max_length": 4}
    texts = found(network, batch, Beam(**plain, coverage_penalty=0.5))
    for one, ranked in zip(batch, texts, strict=True):
        for text in ranked:
            if text.ended == "end":
                attention = scored(network, one.source, text.symbols).attention
            else:
                attention = scored(network, one.source, text.symbols).attention[:-1]
            coverage = np.log(np.minimum(attention.sum(0), 1.0)).sum()
            want = text.log_probability + 0.5 * coverage
            assert text.score == pytest.approx(want, abs=1e-4)
    # Nothing is left uncovered of nothing, nor is anything without attention.
    for other, one in ((network, pair(0, 0)), (model("no attention"), pair(3, 0))):
        best = found(other, [one], Beam(coverage_penalty=0.5, max_length=4))[0][0]
        assert best.score == pytest.approx(best.log_probability, abs=1e-5)


def test_forbidden_symbols_are_never_chosen():
    batch = pairs((4, 0), (2, 0))
    texts = found(model(), batch, Beam(max_length=5, min_length=3), forbidden=[2, 3, 4, 5, 6])
    assert {symbol for (text,) in texts for symbol in text.symbols} <= {1, 7}


def test_samples_and_no_sources():
    batch = pairs((4, 0), (0, 0))
    texts = found(model(), batch, Sampler(seed=1, n_samples=3, max_length=4))
    assert [len(samples) for samples in texts] == [3, 3]
    assert found(model(), [], Beam()) == []


def test_errors():
    steps = Decoding(model().eval(), [pair(2, 0).source])
    with pytest.raises(StructureError, match="expected one row for each of 1 sources, got 3"):
        steps.begin(3)
    with pytest.raises(SettingsError, match=r"beam_size: expected at most .* \(8\), got 9"):
        generator(Beam(beam_size=9))
