"""The components of spaCy pipelines, each beside the architecture of its model."""
