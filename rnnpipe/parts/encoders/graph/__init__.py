"""Encoders of graphs."""
