"""The torch module inside a thinc model: its training step, its weights, its threads."""
