"""SRU and QRNN: recurrent encoders of rnnpipe that leave little to be done step by step."""

__version__ = "0.2.0"
