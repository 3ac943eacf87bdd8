"""The conformance kit: whether a part keeps what every part of its kind promises.

A plugin's tests check it with::

    from rnnpipe.testing import check_encoder

    def test_promises():
        check_encoder("acme.QRNN.v1", {"width": 5})

or, promise by promise, everything that the plugin registers::

    @pytest.mark.parametrize("promise", registered("acme-rnn"), ids=str)
    def test_promises(promise):
        promise()

Of decoders, those that label are checked; of symbols and adaptations, none. Cases are drawn by
hypothesis: ``pip install 'rnnpipe[testing]'``. :func:`without_kernels` leaves numba's loops out.
"""

from rnnpipe.layers.jit import without_kernels
from rnnpipe.testing.checks import (
    check_attention,
    check_decoder,
    check_edges,
    check_embedding,
    check_encoder,
    check_filter,
    check_output,
    check_pixel_output,
    check_pooler,
    check_structure,
)
from rnnpipe.testing.configs import check_config
from rnnpipe.testing.drawing import Draw, draws
from rnnpipe.testing.promises import BrokenPromise
from rnnpipe.testing.registered import Registered, registered

__all__ = [
    "BrokenPromise",
    "Draw",
    "Registered",
    "check_attention",
    "check_config",
    "check_decoder",
    "check_edges",
    "check_embedding",
    "check_encoder",
    "check_filter",
    "check_output",
    "check_pixel_output",
    "check_pooler",
    "check_structure",
    "draws",
    "registered",
    "without_kernels",
]
