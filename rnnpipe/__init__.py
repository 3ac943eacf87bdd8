"""Recurrent networks for spaCy: any encoder, pooler and decoder, by config."""

__version__ = "0.1.0"
