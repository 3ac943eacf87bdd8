"""Encoders of sequences, and the cells they are made of."""
