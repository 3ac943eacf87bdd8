"""Language models, what they read in training, and how they are stepped through."""
