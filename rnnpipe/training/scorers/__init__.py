"""Scores that spaCy does not have."""
