"""The embed and encode blocks of spaCy's own tok2vec."""
