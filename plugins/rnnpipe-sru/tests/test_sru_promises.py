import pytest

from rnnpipe.testing import check_encoder, registered


@pytest.mark.parametrize("promise", registered("rnnpipe-sru"), ids=str)
def test_promises(promise):
    promise()


@pytest.mark.parametrize("window", [1, 3])
def test_promises_of_other_windows(window):
    check_encoder("sru.QRNN.v1", {"width": 3, "window": window})
