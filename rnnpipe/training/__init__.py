"""Training from Python, without a config."""
