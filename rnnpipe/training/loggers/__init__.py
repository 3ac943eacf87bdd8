"""What ``[training.logger]`` can name."""
