"""The kit finds every way in which a decoder can break a promise."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from helpers.broken import Doubled, can_all_be_broken, told

from rnnpipe.parts.decoders.softmax import Softmax
from rnnpipe.testing.decoders import DECODER


class Spoilt(torch.nn.Module):
    """A softmax that somebody tampers with."""

    labels_nodes = labels_documents = exclusive = True
    label_axes: ClassVar = {"inner.output.weight": (0,), "inner.output.bias": (0,)}

    def __init__(self, n_in, labels):
        super().__init__()
        self.inner = Softmax()(n_in, labels)

    def loss(self, x, gold):
        return self.spoil_loss(self.inner.loss(x, gold), x, gold)

    def predict(self, x):
        return self.spoil(self.inner.predict(x), x)

    def spoil_loss(self, loss, x, gold):
        return loss

    def spoil(self, prediction, x):
        return prediction


class Averaged(Spoilt):
    def spoil_loss(self, loss, x, gold):
        return loss / max(1, len(gold))


class Short(Spoilt):
    def spoil(self, prediction, x):
        return replace(prediction, ids=prediction.ids.int())


class Compared(Spoilt):
    def spoil(self, prediction, x):
        if prediction.probabilities is None:
            return replace(prediction, ids=prediction.ids * (len(prediction.ids) > 1))
        probabilities = prediction.probabilities * min(1.0, len(prediction.ids) / 6)
        return replace(prediction, probabilities=probabilities)


class Counting(Spoilt):
    def spoil_loss(self, loss, x, gold):
        return loss + x.states.sum()


class Leaking(Spoilt):
    def spoil_loss(self, loss, x, gold):
        return loss + (x.states * ~x.mask.unsqueeze(2)).sum()


class Costly(Spoilt):
    def spoil_loss(self, loss, x, gold):
        return loss + 1


class Free(Spoilt):
    def __init__(self, n_in, labels):
        super().__init__(n_in, labels)
        self.inner = Softmax(constrained=False)(n_in, labels)


class Wrong(Spoilt):
    def spoil_loss(self, loss, x, gold):
        return Doubled.apply(loss)


class Waiting(Spoilt):
    def spoil_loss(self, loss, x, gold):
        return loss * float(loss.isfinite().item())


class Other(Spoilt):
    def __init__(self, n_in, labels):
        super().__init__(n_in, labels)
        self.noise = torch.rand(len(labels))

    def predict(self, x):
        prediction = self.inner.predict(x)
        if prediction.probabilities is None:
            return replace(prediction, ids=prediction.ids + (self.noise.sum() * 1e6).long() % 97)
        return replace(prediction, probabilities=prediction.probabilities * self.noise)


class Axisless(Spoilt):
    label_axes: ClassVar = {}


class Named(Spoilt):
    def __init__(self, n_in, labels):
        super().__init__(n_in, labels)
        self.E = torch.nn.Parameter(torch.ones(()))


class Restless(Spoilt):
    def spoil_loss(self, loss, x, gold):
        return loss * np.random.default_rng().random() if self.training else loss


class RestlessOfDocuments(Restless):
    labels_nodes = False


class Unseeded(Spoilt):
    def __init__(self, n_in, labels):
        super().__init__(n_in, labels)
        self.register_buffer("noise", torch.from_numpy(np.random.default_rng().standard_normal(3)))


BROKEN = [
    ("node_loss", Averaged, "Found: loss, and the sum of the documents' losses: expected values"),
    ("node_batch", Compared, "Found: labels of document "),
    ("node_batch", Short, "Found: ids: expected torch.int64, got torch.int32."),
    ("node_gradients", Counting, "Found: gradient where all labels are missing: expected values"),
    ("node_gradients", Leaking, "[0, 1].\nFound: padding: expected no gradient, got 4 values of"),
    ("node_empty", Costly, "lengths = [0].\nFound: loss: expected 0, got 1."),
    ("legality", Free, "Found: tags: "),
    ("gradient_check", Wrong, "documents of 2, 0 and 3 nodes.\nFound: GradcheckError: "),
    ("node_meta", Waiting, "Found: RuntimeError: Tensor.item() cannot be called on meta tensors"),
    ("node_copies", Other, "Found: the answer of a pickle of the builder, with the weights loaded"),
    ("label_axes", Axisless, "label_axes of inner.output.weight: expected (0,), got ()."),
    ("document_loss", Averaged, "Found: loss, and the sum of the documents' losses: expected valu"),
    ("document_loss", Named, "Found: E: expected a gradient, got none."),
    ("document_batch", Compared, "Found: probabilities of document 0: expected values equal to 1e"),
    ("document_batch", Short, "Found: ids: expected torch.int64, got torch.int32."),
    ("document_meta", Waiting, "Found: RuntimeError: Tensor.item() cannot be called on meta tens"),
    ("document_copies", Other, "Found: the answer of a pickle of the builder, with the weights l"),
    ("names", Named, "Found: E: expected another name than 'E'."),
    (
        "seeds",
        Restless,
        "of 3 and 4 nodes, built and run twice under the seed 7.\nFound: loss in ",
    ),
    ("seeds", RestlessOfDocuments, "4 documents, built and run twice under the seed 7.\nFound: lo"),
    ("seeds", Unseeded, "Found: noise: expected the same values to the last bit, got 3 others."),
]


@pytest.mark.parametrize("promise, builder, found", BROKEN)
def test_a_broken_promise_is_found(promise, builder, found):
    assert found in told(DECODER, promise, builder)


def test_every_promise_can_be_broken():
    assert can_all_be_broken(DECODER, BROKEN)


def test_a_sound_decoder_breaks_none():
    DECODER.check(DECODER.case("acme.Sound.v1", Spoilt))
