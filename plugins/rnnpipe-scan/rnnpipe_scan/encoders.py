"""What a config can name."""

from __future__ import annotations

from rnnpipe.parts.encoders.sequence.bidirectional import Bidirectional
from rnnpipe.parts.encoders.sequence.recurrent import Recurrent
from rnnpipe.parts.encoders.sequence.registration import register
from rnnpipe_scan.cells import MinGRUCell, MinLSTMCell

MinGRU = register(Recurrent, "scan.MinGRU.v1", MinGRUCell)
MinLSTM = register(Recurrent, "scan.MinLSTM.v1", MinLSTMCell)
BiMinGRU = register(Bidirectional, "scan.BiMinGRU.v1", MinGRUCell)
BiMinLSTM = register(Bidirectional, "scan.BiMinLSTM.v1", MinLSTMCell)
