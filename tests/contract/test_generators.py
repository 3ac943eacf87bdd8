"""What every registered decoder that generates promises."""

import copy
import pickle
from dataclasses import replace

import pytest
import torch
from helpers.building import build, names_of

from rnnpipe.contracts.types import SequenceGenerator

SIZE = 5


class Letters:
    size = SIZE
    end = 0

    def encode(self, text):
        return [ord(letter) - ord("a") for letter in text]


class Chain:
    """The next symbol depends on the last one; a state that counts, to be reordered."""

    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        self.weights = torch.randn(SIZE, SIZE, generator=generator, requires_grad=True)

    def begin(self, batch_size):
        return torch.zeros(batch_size)

    def advance(self, symbols, state):
        logits = self.weights[symbols] + 0.5 * torch.sin(state).unsqueeze(1) * self.weights[0]
        return logits, state + symbols

    def reorder(self, state, rows):
        return state[rows]


def generator_of(name):
    """A registered generator that gives the same answer at every call."""
    return build("generator", name).generator(Letters())


def rounded(texts):
    return [
        [
            replace(
                text,
                log_probabilities=[round(p, 4) for p in text.log_probabilities],
                score=round(text.score, 4),
            )
            for text in ranked
        ]
        for ranked in texts
    ]


def test_kinds_of_decoders_do_not_overlap():
    assert not set(names_of("decoder")) & set(names_of("generator"))


def test_it_is_a_generator(generator_name):
    assert isinstance(generator_of(generator_name), SequenceGenerator)


def test_texts_and_their_log_probabilities(generator_name):
    model = Chain()
    for (text, *_), start in zip(
        generator_of(generator_name).generate(model, torch.arange(4)), range(4), strict=True
    ):
        symbols = text.symbols + [Letters.end] * (text.ended == "end")
        assert Letters.end not in text.symbols
        assert len(symbols) == len(text.log_probabilities) > 0
        assert text.log_probability == sum(text.log_probabilities)
        state = model.begin(1)
        for before, symbol, log_p in zip(
            [start, *symbols], symbols, text.log_probabilities, strict=False
        ):
            logits, state = model.advance(torch.tensor([before]), state)
            exact = logits[0].detach().log_softmax(-1)[symbol]
            assert exact.item() == pytest.approx(log_p, abs=1e-5)


def test_the_same_alone_and_in_a_batch(generator_name):
    model, generator = Chain(), generator_of(generator_name)
    starts = torch.tensor([3, 1, 1, 4, 2, 0])
    together = generator.generate(model, starts)
    alone = [generator.generate(model, starts[i : i + 1])[0] for i in range(len(starts))]
    assert rounded(together) == rounded(alone)


def test_going_on_from_a_state(generator_name):
    model, generator = Chain(), generator_of(generator_name)
    starts = torch.tensor([3, 1])
    state = model.begin(2)
    assert generator.generate(model, starts, state) == generator.generate(model, starts)
    _, state = model.advance(torch.tensor([4, 2]), state)
    for (text, *_), start, row in zip(
        generator.generate(model, starts, state), starts, range(2), strict=True
    ):
        first = (text.symbols or [Letters.end])[0]
        logits, _ = model.advance(start[None], state[row : row + 1])
        exact = logits[0].detach().log_softmax(-1)[first].item()
        assert text.log_probabilities[0] == pytest.approx(exact, abs=1e-5)


def test_no_prompts(generator_name):
    assert generator_of(generator_name).generate(Chain(), torch.zeros(0, dtype=torch.int64)) == []


def test_copies_generate_the_same(generator_name):
    generator = generator_of(generator_name)
    texts = generator.generate(Chain(), torch.tensor([1, 2]))
    for other in (copy.deepcopy(generator), pickle.loads(pickle.dumps(generator))):
        assert other.generate(Chain(), torch.tensor([1, 2])) == texts


def test_no_gradients_are_kept(generator_name):
    model = Chain()
    advance = model.advance

    def watched(symbols, state):
        assert not torch.is_grad_enabled()
        return advance(symbols, state)

    model.advance = watched
    generator_of(generator_name).generate(model, torch.tensor([1]))
    assert torch.is_grad_enabled()
