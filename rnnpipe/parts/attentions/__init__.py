"""Where a decoder looks in its source: how well each source node answers a decoder's state."""
