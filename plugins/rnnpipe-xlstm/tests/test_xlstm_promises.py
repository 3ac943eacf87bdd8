import pytest

from rnnpipe.testing import check_encoder, registered


@pytest.mark.parametrize("promise", registered("rnnpipe-xlstm"), ids=str)
def test_promises(promise):
    promise()


@pytest.mark.parametrize("name", ["xlstm.SLSTM.v1", "xlstm.BiMLSTM.v1"])
def test_promises_of_several_heads(name):
    check_encoder(name, {"width": 4, "heads": 2})
