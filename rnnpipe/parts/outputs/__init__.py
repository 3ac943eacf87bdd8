"""The last layer of a language model: from states to the probability of every symbol."""
