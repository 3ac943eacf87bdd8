"""What a language model counts as one symbol."""
