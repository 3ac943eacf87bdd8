"""The decoder against its equation, document by document."""

import pytest
import torch
from rnnpipe_acme.focal import Focal

from rnnpipe.api import Labels


def test_the_loss_is_that_of_the_equation():
    decoder, x = Focal(focus=3.0)(2, Labels(("a", "b", "c"))), torch.randn(4, 2)
    gold = [2, -1, 0, 1]
    probabilities = decoder.output(x).softmax(-1)
    each = [probabilities[i, label] for i, label in enumerate(gold) if label >= 0]
    want = sum(-((1 - p) ** 3) * p.log() for p in each)
    assert decoder.loss(x, torch.tensor(gold)).item() == pytest.approx(want.item())
    prediction = decoder.predict(x)
    torch.testing.assert_close(prediction.probabilities, probabilities)
    assert prediction.ids.tolist() == probabilities.argmax(-1).tolist()
