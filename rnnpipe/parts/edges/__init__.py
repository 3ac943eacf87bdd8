"""The edges between the tokens of a document: ``@rnnpipe_edges``."""
