"""The kit finds every way in which an encoder can break a promise, and shows what breaks it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.broken import Doubled, can_all_be_broken, told

from rnnpipe.parts.encoders.sequence.bidirectional import BiLSTM
from rnnpipe.parts.encoders.sequence.recurrent import LSTM, Recurrent
from rnnpipe.structures import Sequences
from rnnpipe.testing import BrokenPromise, check_encoder
from rnnpipe.testing.encoders import ENCODER, EncoderCase


class Spoilt(torch.nn.Module):
    """An LSTM whose states somebody tampers with."""

    structure = Sequences
    causal = True

    def __init__(self, n_in):
        super().__init__()
        self.inner = LSTM(width=3)(n_in)
        self.n_out = self.inner.n_out

    def forward(self, inputs, structure, state=None):
        encoded = self.inner(inputs, structure, state)
        return replace(encoded, states=self.spoil(encoded.states, inputs, structure))

    def spoil(self, states, inputs, structure):
        return states

    def start(self, batch_size):
        return self.inner.start(batch_size)

    def step(self, x, state):
        return self.inner.step(x, state)

    def reorder(self, state, rows):
        return self.inner.reorder(state, rows)


class Padded(Spoilt):
    def spoil(self, states, inputs, structure):
        return states + 1


class Exact(Spoilt):
    def spoil(self, states, inputs, structure):
        return states.double()


class Mixed(Spoilt):
    def spoil(self, states, inputs, structure):
        return structure.blank(states + states.mean(0))


class Leaking(Spoilt):
    def spoil(self, states, inputs, structure):
        return structure.blank(states + inputs.sum((1, 2), keepdim=True))


class Spreading(Spoilt):
    def spoil(self, states, inputs, structure):
        return structure.blank(states + 0 * states.sum())


class Contiguous(Spoilt):
    def spoil(self, states, inputs, structure):
        return states + 0 * inputs.view(-1).sum()


class Filled(Spoilt):
    def spoil(self, states, inputs, structure):
        return structure.blank(states + inputs.amax(1).sum(1)[:, None, None])


class Detached(Spoilt):
    def spoil(self, states, inputs, structure):
        return states.detach() + structure.blank(torch.zeros_like(states) * inputs.sum())


class Wrong(Spoilt):
    def spoil(self, states, inputs, structure):
        return Doubled.apply(states)


class Unstable(Spoilt):
    def step(self, x, state):
        y, state = self.inner.step(x, state)
        return y + 1e-3, state


class Unordered(Spoilt):
    def reorder(self, state, rows):
        return state


class Stepless(torch.nn.Module):
    structure = Sequences
    causal = True

    def __init__(self, n_in):
        super().__init__()
        self.inner = LSTM(width=3)(n_in)
        self.n_out = self.inner.n_out

    def forward(self, inputs, structure, state=None):
        return self.inner(inputs, structure, state)


class Forgetful(Spoilt):
    def forward(self, inputs, structure, state=None):
        return self.inner(inputs, structure, None)


class Waiting(Spoilt):
    def spoil(self, states, inputs, structure):
        return states * float(inputs.sum().isfinite().item())


class Random(Spoilt):
    def __init__(self, n_in):
        super().__init__(n_in)
        self.factor = torch.rand(())

    def spoil(self, states, inputs, structure):
        return states * self.factor


class Named(Spoilt):
    def __init__(self, n_in):
        super().__init__(n_in)
        self.W = torch.nn.Parameter(torch.ones(()))

    def spoil(self, states, inputs, structure):
        return states * self.W


class Restless(Spoilt):
    def spoil(self, states, inputs, structure):
        return states * np.random.default_rng().random() if self.training else states


class Unseeded(Spoilt):
    def __init__(self, n_in):
        super().__init__(n_in)
        weights = np.random.default_rng().standard_normal(3, dtype=np.float32)
        self.scale = torch.nn.Parameter(torch.from_numpy(weights))

    def spoil(self, states, inputs, structure):
        return states * self.scale


class Idle(Spoilt):
    def __init__(self, n_in):
        super().__init__(n_in)
        self.unused = torch.nn.Parameter(torch.ones(()))


class Muted(Idle):
    def spoil(self, states, inputs, structure):
        return states + 0 * self.unused


class Claiming(Recurrent):
    causal = False


def backwards(n_in):
    encoder = BiLSTM(width=3)(n_in)
    encoder.causal = True
    return encoder


def claiming(n_in):
    encoder = LSTM(width=3)(n_in)
    encoder.__class__ = Claiming
    return encoder


#: By promise: who breaks it, and what is said of that.
BROKEN = [
    ("shapes", Padded, "lengths = [0, 1], seed = 0.\nFound: states at padding: expected the same"),
    ("shapes", Exact, "Found: states: expected torch.float32, got torch.float64."),
    ("batch", Mixed, "Found: states of document 1, alone and in the batch: expected values equal"),
    ("padding", Leaking, "Found: states over other padding: expected values equal to 1e-06, got"),
    ("nan", Spreading, "Found: states of the others: expected values equal to 1e-06, got a differ"),
    ("layout", Contiguous, "features outermost.\nFound: RuntimeError: view size is not compatible"),
    ("empty", Filled, "Smallest case found: lengths = [].\nFound: "),
    ("gradients", Detached, "Found: inputs: expected a gradient, got zeros."),
    ("gradients", Idle, "Found: unused: expected a gradient, got none."),
    ("gradients", Muted, "Found: unused: expected a gradient, got zeros."),
    ("gradient_check", Wrong, "Found: GradcheckError: "),
    (
        "causality",
        backwards,
        "length = 2, seed = 0.\nFound: state 0: expected no gradient of a lat",
    ),
    ("causality", claiming, "Found: causal: expected True of an encoder that never looks ahead"),
    (
        "stepping",
        Unstable,
        "length = 1, rows = [0], at = 1.\nFound: step 0, and state 0 of the who",
    ),
    ("stepping", Unordered, "Found: step 1, and state 1 of the whole: expected "),
    ("stepping", Stepless, "Found: It is causal: expected start, step and reorder."),
    ("carrying", Forgetful, "Found: the rest of document "),
    ("meta", Waiting, "Found: RuntimeError: Tensor.item() cannot be called on meta tensors"),
    ("copies", Random, "Found: the answer of a pickle of the builder, with the weights loaded"),
    ("names", Named, "Found: W: expected another name than 'W'."),
    ("seeds", Restless, "under the seed 7.\nFound: states in training: expected the same values"),
    ("seeds", Unseeded, "Found: scale: expected the same values to the last bit, got 3 others."),
]


@pytest.mark.parametrize("promise, builder, found", BROKEN)
def test_a_broken_promise_is_found(promise, builder, found):
    assert found in told(ENCODER, promise, builder)


def test_every_promise_can_be_broken():
    assert can_all_be_broken(ENCODER, BROKEN, "rnnpipe.testing.encoders")


def test_a_sound_encoder_breaks_none():
    check_encoder(Spoilt)


def test_all_broken_promises_are_told_at_once():
    with pytest.raises(BrokenPromise) as caught:
        check_encoder(Named)
    assert "Smallest case" not in str(caught.value)
    with pytest.raises(BrokenPromise) as caught:
        check_encoder(Leaking)
    message = str(caught.value)
    assert message.count("Leaking breaks a promise of every encoder: ") >= 2
    assert "Neither states nor gradients come from padding." in message
    assert "It goes on from the state that it gave back." in message


def test_a_check_is_the_same_every_time_and_leaves_the_random_numbers_alone():
    case, texts, numbers = EncoderCase("acme.Mixed.v1", Mixed), [], []
    for _ in range(2):
        torch.manual_seed(0)
        with pytest.raises(BrokenPromise) as caught:
            ENCODER.made_by(case)[1].require(case)
        texts.append(str(caught.value))
        numbers.append(torch.rand(2).tolist())
    assert texts[0] == texts[1]
    torch.manual_seed(0)
    assert numbers == [torch.rand(2).tolist()] * 2
