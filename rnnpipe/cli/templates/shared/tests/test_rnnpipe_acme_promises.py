import pytest

from rnnpipe.testing import registered


@pytest.mark.parametrize("promise", registered("rnnpipe-acme"), ids=str)
def test_promises(promise):
    promise()
