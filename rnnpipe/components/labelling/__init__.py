"""The components that label, and the architecture of their models."""
