"""Parts of networks and searches for rnnpipe, one of nearly every kind."""

__version__ = "0.2.0"
