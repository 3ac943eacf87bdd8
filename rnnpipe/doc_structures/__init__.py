"""How a document becomes a structure: ``@rnnpipe_structures``."""
