"""Which tokens of a document the edges of a graph join: ``@rnnpipe_edges``."""
