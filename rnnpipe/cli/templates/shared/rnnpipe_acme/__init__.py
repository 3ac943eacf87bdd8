"""Parts of networks for rnnpipe."""

__version__ = "0.1.0"
