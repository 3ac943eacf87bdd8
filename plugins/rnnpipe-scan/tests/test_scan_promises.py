import pytest

from rnnpipe.testing import registered


@pytest.mark.parametrize("promise", registered("rnnpipe-scan"), ids=str)
def test_promises(promise):
    promise()
