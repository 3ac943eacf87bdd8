"""What tests of the kit ask about a broken part."""

import pytest
import torch

from rnnpipe.testing import BrokenPromise


class Doubled(torch.autograd.Function):
    """The same values, with a gradient that is wrong."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, dx):
        return 2 * dx


def told(kind, promise, builder):
    """What is said of a part that breaks a promise."""
    (broken,) = (p for p in kind.promises if p.name == promise)
    case = kind.case("acme.Broken.v1", builder)
    assert broken.applies(case)
    with pytest.raises(BrokenPromise) as caught:
        broken.require(case)
    message = str(caught.value)
    assert message.startswith(
        f"acme.Broken.v1 breaks a promise of every {kind.name}: {broken.text}\n"
    )
    return message


def can_all_be_broken(kind, table, module=None):
    """Whether a table breaks all promises of a kind, or those that are checked in a module."""
    promises = [p for p in kind.promises if module in (None, p.check.__module__)]
    return {name for name, *_ in table} == {promise.name for promise in promises}
