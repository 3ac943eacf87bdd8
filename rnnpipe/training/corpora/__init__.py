"""Readers of annotated text in files, for spaCy's ``[corpora]``; a sample data set."""
