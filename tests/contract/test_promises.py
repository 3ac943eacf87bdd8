"""Everything that is registered, plugins included, keeps the promises of the conformance kit."""

import pytest

from rnnpipe.testing import registered
from rnnpipe.testing.registered import BUILT, KINDS


def settings(kind, name):
    return {"width": 5} if kind == "encoder" else None


PROMISES = registered(settings=settings)


@pytest.mark.parametrize("promise", PROMISES, ids=str)
def test_promises(promise):
    promise()


def test_parts_of_every_kind_are_there():
    assert {promise.promise.kind for promise in PROMISES} >= set(KINDS)


def test_no_part_needs_to_be_told_settings():
    assert not [promise.part for promise in registered() if promise.promise is BUILT]
