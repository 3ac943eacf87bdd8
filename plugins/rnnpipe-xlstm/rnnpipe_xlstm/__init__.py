"""sLSTM and mLSTM: the recurrent layers of xLSTM, as encoders of rnnpipe."""

__version__ = "0.2.0"
