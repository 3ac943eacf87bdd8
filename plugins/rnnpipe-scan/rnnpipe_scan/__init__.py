"""minGRU and minLSTM: recurrent encoders of rnnpipe that are trained by a parallel scan."""

__version__ = "0.2.0"
