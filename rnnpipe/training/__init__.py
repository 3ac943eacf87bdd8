"""What ``spacy train`` is given: corpora, loggers, scorers."""
