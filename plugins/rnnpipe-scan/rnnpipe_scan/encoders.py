"""What a config can name."""

from __future__ import annotations

from rnnpipe.api import Bidirectional, Recurrent, register
from rnnpipe_scan.cells import MinGRUCell, MinLSTMCell

MinGRU = register(Recurrent, "scan.MinGRU.v1", MinGRUCell)
MinLSTM = register(Recurrent, "scan.MinLSTM.v1", MinLSTMCell)
BiMinGRU = register(Bidirectional, "scan.BiMinGRU.v1", MinGRUCell)
BiMinLSTM = register(Bidirectional, "scan.BiMinLSTM.v1", MinLSTMCell)
