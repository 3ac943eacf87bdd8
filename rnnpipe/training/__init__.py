"""What training is given: corpora, loggers, scorers; and training from Python, without a config."""
