"""Language models, their inputs in training, and stepwise prediction."""
