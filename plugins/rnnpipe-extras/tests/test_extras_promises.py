import pytest

from rnnpipe.testing import check_decoder, check_pooler, registered


@pytest.mark.parametrize("promise", registered("rnnpipe-extras"), ids=str)
def test_promises(promise):
    promise()


def test_promises_of_other_settings():
    check_pooler("extras.LogSumExp.v1", {"sharpness": 20.0})
    check_decoder("extras.Ordinal.v1", {})
