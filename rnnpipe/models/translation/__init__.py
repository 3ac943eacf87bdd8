"""Encoder, attention and decoder: the probability of one sequence of symbols given another."""
